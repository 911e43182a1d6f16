/** Durations counted in the runtime's own buckets, and two countings compared. Pure. */
import type { RuntimeHistogram } from './robot.ts';

/** What the runtime counted between two readings. */
export function countsBetween(before: RuntimeHistogram, after: RuntimeHistogram): number[] {
  return after.counts.map((count, i) => count - (before.counts[i] ?? 0));
}

/** Durations in ns, counted as the runtime counts: bucket i holds bound i ≤ d < bound i + 1. */
export function countInto(histogram: RuntimeHistogram, durationsNs: Iterable<number>): number[] {
  // The bounds are whole nanoseconds that were divided by 1e9.
  const boundsNs = histogram.bounds.map((bound) => Math.round(bound * 1e9));
  const counts = histogram.counts.map(() => 0);
  for (const durationNs of durationsNs) {
    const bucket = boundsNs.findLastIndex((bound) => bound <= durationNs);
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  return counts;
}

export interface ComparedBucket {
  readonly fromNs: number;
  /** Exclusive; `null` is no upper bound. */
  readonly toNs: number | null;
  readonly runtime: number;
  readonly probe: number;
}

/** The buckets in which either side counted something. */
export function compare(histogram: RuntimeHistogram, runtime: number[], probe: number[]): ComparedBucket[] {
  const ns = (bound: number): number => Math.round(bound * 1e9);
  return runtime
    .map((count, i) => ({
      fromNs: ns(histogram.bounds[i] ?? Number.NaN),
      toNs: histogram.bounds[i + 1] === Number.POSITIVE_INFINITY ? null : ns(histogram.bounds[i + 1] ?? Number.NaN),
      runtime: count,
      probe: probe[i] ?? 0,
    }))
    .filter((bucket) => bucket.runtime !== 0 || bucket.probe !== 0);
}

export const allEqual = (buckets: readonly ComparedBucket[]): boolean =>
  buckets.every(({ runtime, probe }) => runtime === probe);
