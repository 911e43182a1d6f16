/** Assist stalls of a container's processes: all of them, or what was seen of them with how much that is. Pure. */
import type { HistogramEvent, SampledEvent } from '../../host/probe/index.ts';
import {
  type AssistSampling,
  bucketStalls,
  mergeStalls,
  quantileInterval,
  type StallSet,
  scaledStalls,
} from '../../model/index.ts';

/**
 * Stalls of one look are much alike: of the same cycles, in the same press for the processors. Measured against a probe that saw every
 * one, on two busy CPUs: the share of stalls below the true 99th percentile varied 3.2 to 4.5 times as much as that of independent ones.
 */
const designEffect = 4;

export interface Assists {
  readonly sets: readonly StallSet[];
  readonly sampling: AssistSampling | null;
}

/** @param histograms of assists; both lists of the container's processes only */
export function assistsOf(histograms: readonly HistogramEvent[], sampled: readonly SampledEvent[]): Assists {
  const looks = new Map(sampled.map((event) => [event.pid, event]));
  const sets: StallSet[] = [];
  for (const histogram of histograms) {
    const seen = bucketStalls(histogram);
    const share = shareOf(looks.get(histogram.pid));
    if (share > 0) sets.push(share < 1 ? scaledStalls(seen, share) : seen);
  }
  return { sets, sampling: sampled.length > 0 ? statement(histograms, sampled) : null };
}

function shareOf(look: SampledEvent | undefined): number {
  return look === undefined ? 1 : Math.min(1, look.observedNs / Math.max(1, look.spanNs));
}

/** Of several processes the one that was looked at least speaks for all: the error is not stated smaller than it is. */
function statement(histograms: readonly HistogramEvent[], sampled: readonly SampledEvent[]): AssistSampling {
  const pids = new Set(sampled.map(({ pid }) => pid));
  const seen = mergeStalls(histograms.filter(({ pid }) => pids.has(pid)).map(bucketStalls));
  const { lowNs, highNs } = quantileInterval(seen, 0.99, designEffect);
  return {
    observedShare: Math.min(...sampled.map(shareOf)),
    observed: seen.weights.reduce((sum, [, count]) => sum + count, 0),
    p99LowNs: lowNs,
    p99HighNs: highNs,
    unfinished: sampled.reduce((sum, { unfinished }) => sum + unfinished, 0),
  };
}
