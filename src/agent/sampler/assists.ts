/** Assist stalls of a container's processes: all of them, or what was seen of them with how much that is. Pure. */
import type { HistogramEvent, SampledEvent } from '../../host/probe/index.ts';
import {
  type AssistSampling,
  bucketStalls,
  estimated,
  quantileInterval,
  type SeenPart,
  type StallSet,
  totalsInterval,
} from '../../model/index.ts';

/** The probe looks once in each such stretch (`SAMPLING_STRETCH_NS`). */
const stretchNs = 250e6;

const nothing: StallSet = { weights: [], sumNs: 0, maxNs: 0 };

export interface Assists {
  readonly sets: readonly StallSet[];
  readonly sampling: AssistSampling | null;
}

const noAssists: Assists = { sets: [], sampling: null };

/**
 * What was seen throughout stands for itself. Scaled together with the looks it would weigh too much: the storm that makes the probe
 * look now and then is the last that is seen throughout.
 *
 * @param histograms of assists; both lists of the container's processes only
 * @param pauses the same processes' pauses, all of which are seen: with the assists they are the GC stalls
 */
export function assistsOf(
  histograms: readonly HistogramEvent[],
  sampled: readonly SampledEvent[],
  pauses: StallSet = nothing,
): Assists {
  if (histograms.length === 0 && sampled.length === 0) return noAssists;
  const parts = partsOf(histograms, sampled);
  return { sets: estimated(parts), sampling: sampled.length > 0 ? statement(parts, sampled, pauses) : null };
}

function partsOf(histograms: readonly HistogramEvent[], sampled: readonly SampledEvent[]): SeenPart[] {
  const seenThroughout = histograms.filter(({ of }) => of === 'assist').map((each) => whole(bucketStalls(each)));
  const seenInLooks = new Map(
    histograms.filter(({ of }) => of === 'assistLooked').map((each) => [each.pid, bucketStalls(each)]),
  );
  const looks = sampled.map((event) => {
    const { pid, observedNs, throughoutNs, spanNs, lookVariance } = event;
    const looks = Math.max(1, (spanNs - throughoutNs) / stretchNs);
    const share = shareOf(observedNs - throughoutNs, spanNs - throughoutNs);
    return { seen: withUnfinished(seenInLooks.get(pid) ?? nothing, event), share, looks, lookVariance };
  });
  // Of a look in the window before: what ended in this one, when the storm was over.
  const ofLate = [...seenInLooks].filter(([pid]) => !sampled.some((event) => event.pid === pid));
  return [...seenThroughout, ...looks, ...ofLate.map(([, seen]) => whole(seen))];
}

/** The longest of all must not be left out: they count as long as they were followed. */
function withUnfinished(seen: StallSet, { unfinished, unfinishedNs }: SampledEvent): StallSet {
  if (unfinished === 0) return seen;
  const leastNs = unfinishedNs / unfinished;
  return {
    weights: [...seen.weights, [leastNs, unfinished]],
    sumNs: seen.sumNs + unfinishedNs,
    maxNs: Math.max(seen.maxNs, leastNs),
  };
}

function whole(seen: StallSet): SeenPart {
  return { seen, share: 1, looks: 1, lookVariance: 0 };
}

function shareOf(observedNs: number, spanNs: number): number {
  return spanNs <= 0 ? 1 : Math.min(1, Math.max(0, observedNs) / spanNs);
}

/** The share is that of the process that was looked at least: the error is not stated smaller than it is. */
function statement(parts: readonly SeenPart[], sampled: readonly SampledEvent[], pauses: StallSet): AssistSampling {
  const p99 = quantileInterval(parts, 0.99);
  const stallP99 = quantileInterval([...parts, { seen: pauses, share: 1, looks: 1, lookVariance: 0 }], 0.99);
  const { count, sumNs } = totalsInterval(parts);
  return {
    observedShare: Math.min(...sampled.map(({ observedNs, spanNs }) => shareOf(observedNs, spanNs))),
    observed: parts.reduce((sum, { seen, share }) => sum + (share < 1 ? countOf(seen) : 0), 0),
    p99LowNs: p99.low,
    p99HighNs: p99.high,
    stallP99LowNs: stallP99.low,
    stallP99HighNs: stallP99.high,
    countLow: Math.floor(count.low),
    countHigh: count.high === null ? null : Math.ceil(count.high),
    sumLowNs: Math.floor(sumNs.low),
    sumHighNs: sumNs.high === null ? null : Math.ceil(sumNs.high),
    unfinished: sampled.reduce((sum, { unfinished }) => sum + unfinished, 0),
  };
}

function countOf({ weights }: StallSet): number {
  return weights.reduce((sum, [, n]) => sum + n, 0);
}
