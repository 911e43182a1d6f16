/** What a diagnosis is made from, and the figures that several checks need. */
import type { Diagnosis, PolicySpec, SignalName, SignalSummary } from '../api/index.ts';
import {
  everBroken,
  GC_COST_SIGNALS,
  GC_STALL_SIGNALS,
  type HeapPoint,
  highestFittingGogc,
  MEMORY_SIGNALS,
  MMAP_SIGNALS,
  type SignalWindow,
  summarise,
  type Thresholds,
  tuneGogc,
} from '../model/index.ts';

export interface Evidence {
  /** Of one container, oldest first: the minutes before the breach, and what came since. */
  readonly windows: readonly SignalWindow[];
  /** Of the same container over hours, oldest first. */
  readonly heapHistory?: readonly HeapPoint[] | undefined;
  readonly spec: PolicySpec;
  readonly thresholds: Thresholds;
  /** The signal whose breach is to be explained, where there is one. */
  readonly trigger?: SignalName | undefined;
  /** Overrides what the newest window says; null = unknown. */
  readonly activeRobots?: number | null | undefined;
  /** Memory of the process that Go's runtime does not hold; 0 when unknown. */
  readonly nonGoBytes?: number | undefined;
  /** From the captured CPU profile, where there is one. */
  readonly capture?: { readonly gcCpuShareOfProfile?: number | undefined } | undefined;
}

export const CAUSES = [
  'GoroutineLeak',
  'Leak',
  'MemoryLimitTooTight',
  'CpuThrottling',
  'NodePressure',
  'MemoryMapping',
  'PageFaults',
  'SlowStopping',
  'GogcTooLow',
  'AllocationBound',
  'NotGc',
  'Unexplained',
] as const;
export type Cause = (typeof CAUSES)[number];

/** One cause, one check, one small function: a finding with its numbers, or nothing. */
export type CauseCheck = (facts: Facts) => Finding | undefined;

/** `confidence` 0 to 1. */
export type Finding = Diagnosis & { readonly cause: Cause };

export interface Facts {
  readonly evidence: Evidence;
  /** The latest minute: what the breach looked like. */
  readonly recent: readonly SignalWindow[];
  readonly summary: SignalSummary;
  /** Signals that were in breach at some time in the latest minute. */
  readonly broken: ReadonlySet<SignalName>;
  /** Of what the collector costs by running often, how long it makes the program wait, memory, mmap: whether any was. */
  readonly gcOverBudget: boolean;
  readonly stallsOver: boolean;
  readonly memoryOver: boolean;
  readonly mmapOver: boolean;
  readonly activeRobots: number | null;
  /** What formula, bounds and memory allow; undefined without GC facts. The step limit is the plan's business. */
  readonly targetGogc: number | undefined;
  /** Share of the cycles that the memory limit, not GOGC, triggered. */
  readonly limitDrivenShare: number;
  readonly throttledShare: number;
}

const RECENT_WINDOWS = 60;

export function factsOf(evidence: Evidence): Facts {
  const { windows, thresholds } = evidence;
  const recent = windows.slice(-RECENT_WINDOWS);
  const broken = everBroken(recent, thresholds);
  const anyOf = (signals: ReadonlySet<SignalName>): boolean => [...broken].some((signal) => signals.has(signal));
  const cycles = sum(recent, (window) => window.gc?.cycles ?? 0);
  const activeRobots =
    evidence.activeRobots ?? windows.findLast((window) => window.activeRobots !== null)?.activeRobots ?? null;
  return {
    evidence,
    recent,
    summary: summarise(recent),
    broken,
    gcOverBudget: anyOf(GC_COST_SIGNALS),
    stallsOver: anyOf(GC_STALL_SIGNALS),
    memoryOver: anyOf(MEMORY_SIGNALS),
    mmapOver: anyOf(MMAP_SIGNALS),
    activeRobots,
    targetGogc: targetGogc(evidence, activeRobots),
    limitDrivenShare: cycles > 0 ? sum(recent, (window) => window.gc?.limitDrivenCycles ?? 0) / cycles : 0,
    throttledShare: recent.length > 0 ? sum(recent, (window) => window.cgroup?.throttledShare ?? 0) / recent.length : 0,
  };
}

function targetGogc({ windows, spec, nonGoBytes }: Evidence, activeRobots: number | null): number | undefined {
  const newest = windows.findLast((window) => window.gc !== null);
  if (!newest?.gc) return undefined;
  const heap = {
    heapLiveBytes: newest.gc.heapLiveBytes,
    rootsBytes: newest.gc.rootsBytes,
    nonGoBytes,
    memoryLimitBytes: newest.cgroup?.memoryLimitBytes ?? undefined,
  };
  const { targetGogc: asked } = tuneGogc({ active: activeRobots ?? 0, tuning: spec.tuning });
  const highest = highestFittingGogc(heap, spec.tuning.memoryLimit.goMemLimit);
  return highest ? Math.min(asked, highest.gogc) : asked;
}

function sum(windows: readonly SignalWindow[], value: (window: SignalWindow) => number): number {
  return windows.reduce((total, window) => total + value(window), 0);
}
