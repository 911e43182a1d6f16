/** Histograms of the probe read in another way than the product does, for comparison. */
import type { HistogramEvent } from '../protocol.ts';

export type DurationHistogram = Pick<HistogramEvent, 'count' | 'sumNs' | 'maxNs' | 'buckets'>;

export const emptyHistogram: DurationHistogram = { count: 0, sumNs: 0, maxNs: 0, buckets: [] };

/**
 * The duration that a share `q` of the counted durations does not exceed, in ns: nearest-rank, read at the
 * bucket's upper bound, so never below the exact quantile and at most 6.25 % above it. Null without data.
 *
 * @param q share in 0..1, for example 0.99
 */
export function quantileNs(histogram: DurationHistogram, q: number): number | null {
  if (!(q >= 0 && q <= 1)) throw new RangeError(`quantile ${q} is not within 0..1`);
  const total = histogram.buckets.reduce((sum, [, count]) => sum + count, 0);
  if (total === 0) return null;
  const rank = Math.max(1, Math.ceil(q * total));
  let seen = 0;
  for (const [upperBoundNs, count] of histogram.buckets) {
    seen += count;
    if (seen >= rank) return Math.min(upperBoundNs, histogram.maxNs);
  }
  return histogram.maxNs;
}

/** The histogram of all durations that any of the given ones counted. */
export function mergeHistograms(histograms: Iterable<DurationHistogram>): DurationHistogram {
  const counts = new Map<number, number>();
  let sumNs = 0;
  let maxNs = 0;
  let total = 0;
  for (const histogram of histograms) {
    total += histogram.count;
    sumNs += histogram.sumNs;
    maxNs = Math.max(maxNs, histogram.maxNs);
    for (const [bound, count] of histogram.buckets) {
      counts.set(bound, (counts.get(bound) ?? 0) + count);
    }
  }
  const buckets = [...counts].sort(([a], [b]) => a - b);
  return { count: total, sumNs, maxNs, buckets };
}
