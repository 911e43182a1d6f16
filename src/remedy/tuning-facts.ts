/** What the windows of all pods of a workload tell continuous tuning: one GOGC is set for all of them, so the extremes count. Pure. */
import { median, type SignalWindow } from '../model/index.ts';

export interface TuningFacts {
  readonly pods: number;
  /** Of the pod that has the fewest. */
  readonly windows: number;
  /** Of the busiest pod, each pod by the median of its windows; null: not known of every pod. */
  readonly activeRobots: number | null;
  /** Those in effect, in rising order: more than one while a change is spread, or where pods are set apart. Empty: not known of every pod. */
  readonly gogcs: readonly number[];
  /** GOMEMLIMIT in effect, likewise; null: none. Empty: not known of every pod. */
  readonly goMemLimits: readonly (number | null)[];
  /** The largest of any pod and window. */
  readonly heapLiveBytes: number | undefined;
  readonly rootsBytes: number | undefined;
  /** At least so much of what was in use was not the heap's: it lay beyond the heap goal. */
  readonly nonGoBytes: number;
  /** The smallest; null: none. */
  readonly memoryLimitBytes: number | null;
  /** Of the pod whose newest one is the oldest; null: a pod has none at all. */
  readonly newestWindowAgeMs: number | null;
}

/**
 * @param tuned for each pod that serves, its windows of the stretch that is looked at, oldest first
 * @param untuned of pods that keep their own settings, having less memory than what is wished for the others was worked out for: theirs are not
 * those in effect, and it is for their limit too that the next ones are worked out
 */
export function tuningFacts(
  tuned: readonly (readonly SignalWindow[])[],
  nowMs: number,
  untuned: readonly (readonly SignalWindow[])[] = [],
): TuningFacts {
  const pods = [...tuned, ...untuned];
  const all = pods.flat();
  const robots = pods.map(typicalRobots);
  const gogcs = tuned.map((windows) => windows.findLast(({ gc }) => gc)?.gc?.gogc);
  const goMemLimits = tuned.map((windows) => windows.findLast(({ gc }) => gc)?.gc?.goMemLimitBytes);
  const ages = pods.map((windows) => windows.at(-1)).map((newest) => newest && nowMs - Date.parse(newest.endedAt));
  const heaps = all.flatMap(({ gc }) => gc ?? []);
  const limits = all.flatMap(({ cgroup }) => cgroup?.memoryLimitBytes ?? []);
  return {
    pods: pods.length,
    windows: Math.min(...pods.map((windows) => windows.length)),
    activeRobots: areKnown(robots) ? Math.max(...robots) : null,
    gogcs: areKnown(gogcs) ? [...new Set(gogcs)].sort((a, b) => a - b) : [],
    goMemLimits: areKnown(goMemLimits) ? [...new Set(goMemLimits)] : [],
    heapLiveBytes: largest(heaps.map(({ heapLiveBytes }) => heapLiveBytes)),
    rootsBytes: largest(heaps.map(({ rootsBytes }) => rootsBytes)),
    nonGoBytes: Math.max(0, ...pods.map(beyondHeapGoal)),
    memoryLimitBytes: limits.length > 0 ? Math.min(...limits) : null,
    newestWindowAgeMs: areKnown(ages) ? Math.max(...ages) : null,
  };
}

function typicalRobots(windows: readonly SignalWindow[]): number | undefined {
  const known = windows.flatMap(({ activeRobots }) => activeRobots ?? []);
  return known.length > 0 ? Math.round(median(known)) : undefined;
}

/** Beyond the largest goal of the stretch: where the goal falls, the heap's memory goes back to the kernel only slowly. */
function beyondHeapGoal(windows: readonly SignalWindow[]): number {
  const seen = windows.flatMap(({ gc, cgroup }) => (gc && cgroup ? [{ gc, cgroup }] : []));
  const used = seen.map(({ cgroup }) => cgroup.workingSetBytes ?? cgroup.memoryCurrentBytes);
  return Math.max(0, ...used) - Math.max(0, ...seen.map(({ gc }) => gc.heapGoalBytes));
}

/** Of every pod, and there is one. */
function areKnown<T>(values: readonly (T | undefined)[]): values is readonly T[] {
  return values.length > 0 && values.every((value) => value !== undefined);
}

function largest(values: readonly number[]): number | undefined {
  return values.length > 0 ? Math.max(...values) : undefined;
}
