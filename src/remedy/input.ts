/** All that a plan may look at: plain data, so that every plan can be replayed. */
import type { ActionRecord, Diagnosis, PolicySpec, SignalName, SignalSummary } from '../api/index.ts';
import type { SignalWindow } from '../model/index.ts';
import type { Way } from './ways.ts';

export interface PlanInput {
  readonly spec: PolicySpec;
  /** Whose breach opened the incident: what a remedy must lower. */
  readonly signal: SignalName;
  /** The likeliest cause. */
  readonly diagnosis: Diagnosis;
  /** Of the windows that led to the breach; `gogc` is the value in effect. */
  readonly summary: SignalSummary;
  /** GC roots and non-Go memory where known; both 0 otherwise. */
  readonly rootsBytes?: number | undefined;
  readonly nonGoBytes?: number | undefined;
  /** Of the workload, for sentences: `Deployment dispatch`, `process 4711`. */
  readonly subject: string;
  /** How it can be changed from where the plan is made. */
  readonly ways: readonly Way[];
  readonly memoryLimitBytes: number | null;
  /** Null = unknown: the formula then gives its base. */
  readonly activeRobots: number | null;
  /** What was done to the same workload before, in any order. */
  readonly history: readonly ActionRecord[];
  /** Name of another incident that is acting on, or verifying, the same workload. */
  readonly busyWith?: string | undefined;
  /** Annotation on the workload. */
  readonly paused: boolean;
  /** The operator's own. */
  readonly killSwitch: boolean;
  /** Null = no window at all. */
  readonly newestWindowAgeMs: number | null;
  /** How often windows arrive where the plan is made; default one second. */
  readonly windowPeriodMs?: number | undefined;
}

/** What the windows tell of it, oldest first. */
export function factsOfWindows(
  windows: readonly SignalWindow[],
  nowMs: number,
): Pick<PlanInput, 'rootsBytes' | 'activeRobots' | 'newestWindowAgeMs'> {
  const newest = windows.at(-1);
  return {
    rootsBytes: windows.findLast(({ gc }) => gc)?.gc?.rootsBytes,
    activeRobots: windows.findLast(({ activeRobots }) => activeRobots !== null)?.activeRobots ?? null,
    newestWindowAgeMs: newest ? nowMs - Date.parse(newest.endedAt) : null,
  };
}
