/** The lines of `robotgc watch -o ndjson`: one object a line, told apart by `type`. Pure. */
import type { SeenCycle, SeenPause, TargetState } from '../../agent/sampler/index.ts';
import type { Diagnosis, LiveKnob, Plan, Setting, SignalSummary } from '../../api/index.ts';
import type { SlowLeak } from '../../diagnosis/index.ts';
import type { AssistEvent, WaitEvent } from '../../host/probe/index.ts';
import {
  type Breach,
  type HeapTrend,
  isMissing,
  type PressureOnset,
  type Rhythm,
  type SignalWindow,
  type StaleGoMemLimit,
  stopReason,
} from '../../model/index.ts';

/** A change that helped, by windows of equal length before and after it. */
export interface Verified {
  readonly reason: string;
  readonly before: SignalSummary;
  readonly after: SignalSummary;
  /** From the breach until it was known. */
  readonly healMs: number;
}

/** A change that did not, or that was not to outlive the watch, and was put back. */
export interface RolledBack {
  readonly knob: LiveKnob;
  readonly from: Setting;
  readonly to: Setting;
  readonly reason: string;
}

/** What the formula asks for without a breach. */
export interface Tuning {
  readonly plan: Plan;
  readonly activeRobots: number | null;
}

export function pauseLine(pause: SeenPause): object {
  const { type, pid, reason, startNs, stoppingNs, totalNs, chargedTo } = pause;
  return { type, pid, reason, reasonName: stopReason(reason).name, startNs, stoppingNs, totalNs, chargedTo };
}

export function cycleLine(cycle: SeenCycle): object {
  return { ...cycle };
}

/** `goid` is the goroutine's number in traces and stack dumps; `g` an address, which another may have later. */
export function assistLine(assist: AssistEvent): object {
  return { ...assist };
}

export function waitLine(wait: WaitEvent): object {
  return { ...wait };
}

/** What is asked for most stands flat on top; below it the whole `SignalWindow`, as bundles hold it. */
export function windowLine(window: SignalWindow, trend: HeapTrend | null): object {
  const observed = (field: 'gcStall' | 'gcPause' | 'gcStopping') => (isMissing(window, field) ? null : window[field]);
  return {
    type: 'window',
    gcCpuShare: window.gc?.cpuShare ?? null,
    gcStallP99Ns: observed('gcStall')?.p99Ns ?? null,
    gcStallMaxNs: observed('gcStall')?.maxNs ?? null,
    gcPauseP99Ns: observed('gcPause')?.p99Ns ?? null,
    gcStoppingP99Ns: observed('gcStopping')?.p99Ns ?? null,
    gcRate: window.gc ? window.gc.cycles / (window.durationMs / 1000) : null,
    heapLive: window.gc?.heapLiveBytes ?? null,
    heapGoal: window.gc?.heapGoalBytes ?? null,
    gogc: window.gc?.gogc ?? null,
    heapLiveSlope: trend && slopeLine(trend),
    ...window,
  };
}

/** Bounds of the 95 % interval are null while there are too few cycles to tell them. */
function slopeLine({ spanSeconds, liveBytesPerSecond: { perSecond, low, high } }: HeapTrend): object {
  const [lowBytesPerSecond, highBytesPerSecond] = [low, high].map((bound) => (Number.isFinite(bound) ? bound : null));
  return { bytesPerSecond: perSecond, lowBytesPerSecond, highBytesPerSecond, spanSeconds };
}

/** Undefined in a window without memory pressure. With the whole node's beside it: a neighbour's is not our own. */
export function pressureLine(window: SignalWindow): object | undefined {
  const pressure = window.cgroup?.memoryPressure;
  if (!pressure || (pressure.some === 0 && !pressure.full)) return undefined;
  const { some, full } = pressure;
  const stalledNs = (share: number): number => Math.round(share * window.durationMs * 1e6);
  return {
    type: 'pressure',
    pids: window.pids,
    endedAt: window.endedAt,
    some,
    full,
    someNs: stalledNs(some),
    fullNs: full === null ? null : stalledNs(full),
    node: window.cgroup?.node?.memory ?? null,
  };
}

/** Pressure of the trailing second broke a limit, long before enough windows make it a breach. */
export function onsetLine({ signal, share, limit, windowNs, toldBy }: PressureOnset, detectedAt: Date): object {
  return { type: 'pressureOnset', signal, share, limit, windowNs, toldBy, detectedAt: detectedAt.toISOString() };
}

export function breachLine(breach: Breach, policy: string, window: SignalWindow, detectedAt: Date): object {
  const { type, ...facts } = breach;
  return { type, policy, pids: window.pids, ...facts, detectedAt: detectedAt.toISOString() };
}

/** `bundle`: the file with the evidence; null where none was captured. */
export function diagnosisLine(diagnosis: Diagnosis, bundle: string | null): object {
  return { type: 'diagnosis', ...diagnosis, bundle };
}

/** `applied`: it was done, and is in effect. Else `reason`, `blockedBy` or `patch` say what is left to people. */
export function actionLine(plan: Plan, applied: boolean): object {
  return { type: 'action', ...plan, applied };
}

export function verifiedLine(verified: Verified): object {
  return { type: 'verified', ...verified };
}

export function rolledBackLine(undone: RolledBack): object {
  return { type: 'rolledBack', ...undone };
}

export function tuningLine({ plan, activeRobots }: Tuning, applied: boolean): object {
  return { type: 'tuning', ...plan, activeRobots, applied };
}

export function watchingLine({ goVersion, pids, missing = [] }: Extract<TargetState, { state: 'Watching' }>): object {
  return { type: 'watching', pids, goVersion, missing };
}

/** With what it was classified by. */
export function rhythmLine(rhythm: Rhythm): object {
  return { type: 'rhythm', ...rhythm };
}

export function slowLeakLine({ bytesPerHour, sentence }: SlowLeak): object {
  return { type: 'slowLeak', bytesPerHour, message: sentence };
}

/** `stale`: on which side of what would fit. */
export function staleGoMemLimitLine({ type, ...bytes }: StaleGoMemLimit): object {
  return { type: 'staleGoMemLimit', stale: type, ...bytes };
}

export function refusedLine(pid: number, state: Extract<TargetState, { state: 'Refused' }>): object {
  return { type: 'refused', pid, reason: state.reason, message: state.message };
}

/** So many objects stood here that were dropped, because nobody read them in time. */
export function unreadLine(lines: number): object {
  return { type: 'unread', lines };
}
