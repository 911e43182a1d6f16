/** Distributions of stalls: exact durations and histogram buckets as one. Pure. */
import type { StallStats } from './window.ts';

/** `[durationNs, count]`; a histogram's bucket stands at its upper bound. */
export type WeightedNs = readonly [durationNs: number, count: number];

/** What is known of a set of stalls: exact durations weigh one each, histogram buckets as many as they counted. */
export interface StallSet {
  readonly weights: readonly WeightedNs[];
  readonly sumNs: number;
  readonly maxNs: number;
}

export const noStalls: StallStats = { count: 0, p50Ns: 0, p99Ns: 0, maxNs: 0, sumNs: 0 };

const noSet: StallSet = { weights: [], sumNs: 0, maxNs: 0 };

export function exactStalls(durationsNs: readonly number[]): StallSet {
  if (durationsNs.length === 0) return noSet;
  let sumNs = 0;
  let maxNs = 0;
  for (const durationNs of durationsNs) {
    sumNs += durationNs;
    if (durationNs > maxNs) maxNs = durationNs;
  }
  return { weights: durationsNs.map((durationNs) => [durationNs, 1] as const), sumNs, maxNs };
}

/** A histogram as the probe sends it: buckets by upper bound, sum and maximum exact. */
export function bucketStalls(histogram: {
  readonly buckets: readonly WeightedNs[];
  readonly sumNs: number;
  readonly maxNs: number;
}): StallSet {
  return { weights: histogram.buckets, sumNs: histogram.sumNs, maxNs: histogram.maxNs };
}

/** A set of which a share was seen, as if all had been: each stall weighs 1 ÷ share. @param share above 0 */
export function scaledStalls(set: StallSet, share: number): StallSet {
  return {
    weights: set.weights.map(([durationNs, n]) => [durationNs, n / share] as const),
    sumNs: set.sumNs / share,
    maxNs: set.maxNs,
  };
}

/**
 * Count, quantiles, maximum and sum of the union of the sets.
 *
 * Quantiles are nearest-rank (the smallest value that at least a share q of the stalls do not exceed); with fewer than 100
 * stalls the 99th percentile is therefore the maximum. From a histogram they read at a bucket's upper bound: never below the
 * exact one, at most a bucket's width (6.25 %) above it, never above the maximum.
 */
export function stallStats(sets: readonly StallSet[]): StallStats {
  const weights: WeightedNs[] = [];
  let count = 0;
  let maxNs = 0;
  let sumNs = 0;
  let isAscending = true;
  for (const set of sets) {
    for (const weight of set.weights) {
      if (weight[0] < (weights.at(-1)?.[0] ?? 0)) isAscending = false;
      weights.push(weight);
      count += weight[1];
    }
    maxNs = Math.max(maxNs, set.maxNs);
    sumNs += set.sumNs;
  }
  if (count === 0) return noStalls;
  if (!isAscending) weights.sort((a, b) => a[0] - b[0]);
  return {
    count: Math.round(count),
    p50Ns: Math.min(nearestRank(weights, count, 0.5), maxNs),
    p99Ns: Math.min(nearestRank(weights, count, 0.99), maxNs),
    maxNs,
    sumNs: Math.round(sumNs),
  };
}

/** @param ascending sorted by duration; @param count the sum of their weights, at least 1 */
export function nearestRank(ascending: readonly WeightedNs[], count: number, q: number): number {
  return atRank(ascending, rankOf(q, count));
}

/** @param ascending sorted by duration */
export function atRank(ascending: readonly WeightedNs[], rank: number): number {
  let seen = 0;
  for (const weight of ascending) {
    seen += weight[1];
    if (seen >= rank) return weight[0];
  }
  return ascending.at(-1)?.[0] ?? 0;
}

/** Nearest rank of a quantile, from 1. The slack keeps 0.99 × 100 from becoming 100 by binary rounding. */
export function rankOf(q: number, count: number): number {
  return Math.max(1, Math.ceil(q * count - 1e-9));
}
