/** How long each step of a healing took, from what the incident and the policy's status say of it. Pure. */
import type { Healing } from './heal.ts';

/**
 * Milliseconds, by the clock of the node on which all programs of a local cluster run. What comes before the evidence is whole is decided by the
 * policy: how many windows make a breach, how long is captured.
 */
export interface HealingTimes {
  readonly detectMs: number;
  readonly captureMs: number;
  /** Evidence whole → in effect: delivered, sealed, diagnosed, planned, written down, carried out. */
  readonly effectMs: number;
  /** The last part of it: from the decision that stands in the status. */
  readonly carryOutMs: number;
  readonly breachToEffectMs: number;
  readonly healMs: number;
  /** One GC cycle before the change, on average. */
  readonly cycleMs: number;
}

/** Undefined where no change was verified as better. */
export function healingTimes({ incident, live }: Healing): HealingTimes | undefined {
  const { spec, status } = incident;
  const { actions, capture, verification, times } = status;
  const action = actions?.[0];
  // A process's setting is in effect when its agent saw a cycle that went by it; a limit when the operator saw that the kubelet says so.
  const inEffectAt = action?.kind === 'Live' ? live?.at : verification?.startedAt;
  const { detectMs, healMs } = times ?? {};
  if (status.phase !== 'Resolved' || !action || !verification || !capture?.endedAt || !inEffectAt) return undefined;
  if (detectMs === undefined || healMs === undefined) return undefined;
  const untilEffect = (from: string): number => Date.parse(inEffectAt) - Date.parse(from);
  const breachToEffectMs = untilEffect(spec.trigger.detectedAt);
  const effectMs = untilEffect(capture.endedAt);
  return {
    detectMs,
    captureMs: breachToEffectMs - effectMs,
    effectMs,
    carryOutMs: untilEffect(action.at),
    breachToEffectMs,
    healMs,
    cycleMs: 1000 / verification.before.gcRatePerSecond,
  };
}
