/**
 * Memory arithmetic: which heap goal a GOGC leads to, and the highest GOGC whose goal fits under the memory limit.
 * Heap goal = L + (L + R) × GOGC ÷ 100 since Go 1.18 (runtime/mgcpacer.go, `commit`), L = live heap of the last cycle, R = GC roots
 * (stacks and globals).
 */
import { ratio } from '../api/index.ts';

export interface HeapFacts {
  /** L: live heap marked by the last cycle, never RSS. */
  readonly heapLiveBytes?: number | undefined;
  /** R: stacks and globals that the collector scans; 0 when unknown. */
  readonly rootsBytes?: number | undefined;
  /** N: memory of the process that Go's runtime does not hold; 0 when unknown. */
  readonly nonGoBytes?: number | undefined;
  /** M: the container's memory limit. */
  readonly memoryLimitBytes?: number | undefined;
}

export interface FittingGogc {
  /** Zero or less: not even the live heap fits. */
  readonly gogc: number;
  readonly formula: string;
}

export function heapGoalBytes(heapLiveBytes: number, rootsBytes: number, gogc: number): number {
  return heapLiveBytes + ((heapLiveBytes + rootsBytes) * gogc) / 100;
}

/**
 * Solves goal + N ≤ share × M for GOGC, rounded down.
 *
 * @param goMemLimit share of the memory limit that goal and non-Go memory may fill, such as `90%`
 * @returns undefined when live heap or limit are unknown (or nothing is live: then any GOGC fits)
 */
export function highestFittingGogc(facts: HeapFacts, goMemLimit: string): FittingGogc | undefined {
  const { heapLiveBytes: live, memoryLimitBytes: limit } = facts;
  if (live === undefined || limit === undefined) return undefined;
  const roots = facts.rootsBytes ?? 0;
  const nonGo = facts.nonGoBytes ?? 0;
  if (live + roots <= 0) return undefined;
  const roomBytes = ratio(goMemLimit) * limit - nonGo - live;
  const gogc = Math.floor((100 * roomBytes) / (live + roots));
  const formula = `(${goMemLimit} × ${mib(limit)} − non-Go ${mib(nonGo)} − live ${mib(live)}) ÷ (live + roots ${mib(roots)})`;
  return { gogc, formula };
}

function mib(bytes: number): string {
  return `${Number((bytes / 2 ** 20).toFixed(1))} MiB`;
}
