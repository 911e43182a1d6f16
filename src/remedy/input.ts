/** All that a plan may look at: plain data, so that every plan can be replayed. */
import type { ActionRecord, Diagnosis, PolicySpec, SignalName, SignalSummary } from '../api/index.ts';
import type { SignalWindow } from '../model/index.ts';
import type { Breaker } from './circuit-breaker.ts';
import type { Way } from './ways.ts';

/** Whether anything may be changed at all: looked at for a plan, and once more at the last moment before the change. */
export interface Permission {
  readonly spec: PolicySpec;
  /** Of the workload, for sentences: `Deployment dispatch`, `process 4711`. */
  readonly subject: string;
  /** Annotation on the workload. */
  readonly paused: boolean;
  /** The operator's own. */
  readonly killSwitch: boolean;
  /** Who approved this very change; stands in for `mode: Auto` where the mode is Recommend. */
  readonly approvedBy?: string | undefined;
  /** Of the fleet; a single process has none. */
  readonly breaker?: Breaker | undefined;
}

/** What stands around a change that is to be made, whatever it is made for: what the guardrails look at. */
export interface Occasion extends Permission {
  /** How it can be changed from where the plan is made. */
  readonly ways: readonly Way[];
  /** What was changed for this very incident and stands, oldest first. */
  readonly soFar?: readonly ActionRecord[] | undefined;
  /** What was done to the same workload for other incidents, in any order. */
  readonly history: readonly ActionRecord[];
  /** What continuous tuning did to it. It costs of the same budget, but a breach need not wait for its cool-down. */
  readonly tuned?: readonly ActionRecord[] | undefined;
  /** Name of another incident that is acting on, or verifying, the same workload. */
  readonly busyWith?: string | undefined;
  /** Null = no window at all. */
  readonly newestWindowAgeMs: number | null;
  /** How often windows arrive where the plan is made; default one second. */
  readonly windowPeriodMs?: number | undefined;
}

export interface PlanInput extends Occasion {
  /** Whose breach opened the incident: what a remedy must lower. */
  readonly signal: SignalName;
  /** The likeliest cause. */
  readonly diagnosis: Diagnosis;
  /** Of the windows that led to the breach; `gogc` is the value in effect. */
  readonly summary: SignalSummary;
  /** GC roots and non-Go memory where known; both 0 otherwise. */
  readonly rootsBytes?: number | undefined;
  readonly nonGoBytes?: number | undefined;
  /** In effect; null = none. */
  readonly memoryLimitBytes: number | null;
  /** The highest working set of the windows; undefined where nobody looked. */
  readonly useBytes?: number | undefined;
  /** In effect by the newest cycle; null = none, undefined = no cycle was seen. */
  readonly goMemLimitBytes?: number | null | undefined;
  /** Null = unknown: the formula then gives its base. */
  readonly activeRobots: number | null;
}

export type WindowFacts = Pick<
  PlanInput,
  'rootsBytes' | 'activeRobots' | 'newestWindowAgeMs' | 'useBytes' | 'goMemLimitBytes' | 'memoryLimitBytes'
>;

/** What the windows tell of it, oldest first. */
export function factsOfWindows(windows: readonly SignalWindow[], nowMs: number): WindowFacts {
  const newest = windows.at(-1);
  const gc = windows.findLast((window) => window.gc)?.gc;
  const used = windows.flatMap(({ cgroup }) => (cgroup ? [cgroup.workingSetBytes ?? cgroup.memoryCurrentBytes] : []));
  return {
    rootsBytes: gc?.rootsBytes,
    goMemLimitBytes: gc?.goMemLimitBytes,
    useBytes: used.length > 0 ? Math.max(...used) : undefined,
    memoryLimitBytes: windows.findLast(({ cgroup }) => cgroup)?.cgroup?.memoryLimitBytes ?? null,
    activeRobots: windows.findLast(({ activeRobots }) => activeRobots !== null)?.activeRobots ?? null,
    newestWindowAgeMs: newest ? nowMs - Date.parse(newest.endedAt) : null,
  };
}
