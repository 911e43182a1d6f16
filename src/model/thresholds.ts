/**
 * From the promise of a policy to the numbers that windows are held against. The derivation, with its assumptions, is in
 * `docs/sla-model.md`; `explain.ts` prints it for one policy.
 */
import { durationMs, type PolicySpec, ratio } from '../api/index.ts';
import { type HeapEmergencyBudget, heapEmergencyBudget } from './availability.ts';
import { type FurtherLimits, furtherLimits } from './further-limits.ts';

/** Kept back from the GC stall limit, so that tuning aims below it instead of at it. */
export const STALL_RESERVE_NS = 5_000_000;

/** Numbers of one policy. Times in nanoseconds, shares as ratios (5 % = 0.05). */
export interface Thresholds {
  /** Limit of the 99th percentile of GC stalls: STW pauses and assist stalls as one distribution. */
  readonly gcStallP99Ns: number;
  /** What tuning aims for: the limit less the reserve, never below half the limit. */
  readonly gcStallTargetNs: number;
  readonly gcCpuShare: number;
  readonly memoryPressureSome: number;
  readonly memoryPressureFull: number;
  /** Network phases slower than these are evidence for another cause than the collector; no breach is judged by them. */
  readonly network: NetworkLimits;
  /** Likewise: memory pressure of the node above it is evidence that a neighbour is the cause. */
  readonly nodeMemoryPressure: number;
  /** Signals that the policy sets a limit for of its own accord, each in its unit. */
  readonly further: FurtherLimits;
  readonly heapEmergencies: HeapEmergencyBudget;
  /** A signal is in breach when `windows` of the latest `of` windows are over its limit. */
  readonly breach: { readonly windows: number; readonly of: number };
}

export interface NetworkLimits {
  readonly tlsHandshakeNs: number;
  readonly connectNs: number;
}

/** Of a program that no policy speaks of. */
export const DEFAULT_NETWORK_LIMITS: NetworkLimits = { tlsHandshakeNs: 500_000_000, connectNs: 3_000_000_000 };

/** @param spec a policy as its schema accepted it, defaults filled */
export function deriveThresholds(spec: PolicySpec): Thresholds {
  const { sla, thresholds } = spec;
  const gcStallP99Ns =
    thresholds.gcStallP99 === undefined
      ? Math.round(durationMs(sla.latencyP99) * 1e6 * ratio(sla.gcShareOfLatency))
      : Math.round(durationMs(thresholds.gcStallP99) * 1e6);
  return {
    gcStallP99Ns,
    gcStallTargetNs: Math.max(gcStallP99Ns - STALL_RESERVE_NS, gcStallP99Ns / 2),
    gcCpuShare: thresholds.gcCpuShare === undefined ? complement(sla.throughput) : ratio(thresholds.gcCpuShare),
    memoryPressureSome: ratio(thresholds.memoryPressureSome),
    memoryPressureFull: ratio(thresholds.memoryPressureFull),
    network: {
      tlsHandshakeNs: Math.round(durationMs(thresholds.tlsHandshake) * 1e6),
      connectNs: Math.round(durationMs(thresholds.connect) * 1e6),
    },
    nodeMemoryPressure: ratio(thresholds.nodeMemoryPressure),
    further: furtherLimits(thresholds),
    heapEmergencies: heapEmergencyBudget(ratio(sla.availability)),
    breach: { windows: thresholds.breach.windows, of: thresholds.breach.of },
  };
}

/** 1 − share without the noise of binary fractions: 95 % leaves exactly 5 %. */
function complement(percent: string): number {
  return Number((1 - ratio(percent)).toFixed(9));
}
