import type { HistogramEvent } from '../protocol.ts';
import type { RuntimeHistogram } from './churn.ts';

/** For the probe's `--assists`: more in a second than any program has, so that none is left to sampling. */
export const everyAssist = '10000000';

export const assistsOnly = (histograms: readonly HistogramEvent[]): HistogramEvent[] =>
  histograms.filter(({ of }) => of === 'assist' || of === 'assistLooked');

/** What the runtime counted between two readings. */
export function countsBetween(before: RuntimeHistogram, after: RuntimeHistogram): number[] {
  return after.counts.map((count, i) => count - (before.counts[i] ?? 0));
}

/** Our durations counted in the runtime's own buckets. */
export function countInto(histogram: RuntimeHistogram, durationsNs: Iterable<number>): number[] {
  const counts = histogram.counts.map(() => 0);
  for (const durationNs of durationsNs) {
    const bucket = histogram.boundsNs.findLastIndex((bound) => bound <= durationNs);
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  return counts;
}

export const sum = (numbers: Iterable<number>): number => {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
};
