/** Stalls that were seen in part: what is told of all of them, and how far from the truth that may be. Pure. */
import { atRank, type StallSet, scaledStalls } from './quantiles.ts';

/** The stalls of one process. */
export interface SeenPart {
  readonly seen: StallSet;
  /** Share of the time in which they were seen. Below 1 they are a sample; at 0 nothing is known of them. */
  readonly share: number;
  /** How often it was looked in that time; 1 where it was looked throughout. */
  readonly looks: number;
  /** Of what single looks tell of the rate, relative to its square: as seen of the latest ones, 0 where that is not known. */
  readonly lookVariance: number;
}

export interface Interval {
  readonly low: number;
  /** Null: too little was seen to bound it from above. */
  readonly high: number | null;
}

/** z of the normal distribution for a two-sided 90 %. */
const z90 = 1.645;

/**
 * Stalls of one look are much alike: of the same cycles, in the same press for the processors. Measured against a probe that saw every
 * one, on two busy CPUs: the share of stalls below the true 99th percentile varied 3.2 to 4.5 times as much as that of independent ones.
 */
const designEffect = 4;

/**
 * Standard deviation of what one look tells of the rate, relative to it: cycles come and go between looks. Measured likewise, over four
 * looks: 0.11 of counts and 0.16 of sums, which is 0.25 and 0.36 a look. Where cycles last longer than looks, these differ more, and the
 * probe tells how much.
 */
const leastLookDeviation = 0.5;

/** As if all had been seen: each stall of a sample weighs 1 ÷ share. What ends after its look, where none followed in the window, stands for itself. */
export function estimated(parts: readonly SeenPart[]): StallSet[] {
  return parts.flatMap(({ seen, share }) => {
    if (share > 0) return [share < 1 ? scaledStalls(seen, share) : seen];
    return countOf(seen) > 0 ? [seen] : [];
  });
}

/**
 * The 90 % confidence interval of a quantile of all stalls: those whose ranks lie 1.645 standard deviations of binomials, each scaled as
 * its part is and times √designEffect, below and above. Where the upper rank is beyond the last stall, or nothing was seen of a part, there
 * is no upper bound.
 */
export function quantileInterval(parts: readonly SeenPart[], q: number): Interval {
  const sets = estimated(parts);
  const ascending = sets.flatMap(({ weights }) => weights).sort((a, b) => a[0] - b[0]);
  const total = ascending.reduce((sum, [, n]) => sum + n, 0);
  if (total === 0) return { low: 0, high: null };
  const samples = parts.filter(({ share }) => share < 1);
  const variance = samples.reduce(
    (sum, { seen, share }) => sum + (share > 0 ? (designEffect * countOf(seen) * q * (1 - q)) / share ** 2 : 0),
    0,
  );
  const spread = z90 * Math.sqrt(variance);
  const step = Math.max(0, ...samples.map(({ share }) => (share > 0 ? 1 / share : 0)));
  const maxNs = Math.max(...sets.map((set) => set.maxNs));
  const at = (rank: number): number => Math.min(atRank(ascending, rank), maxNs);
  const highest = total * q + spread + step;
  const isBounded = highest <= total && samples.every(({ seen }) => countOf(seen) > 0);
  return { low: at(total * q - spread - step), high: isBounded ? at(highest) : null };
}

/**
 * The 90 % confidence intervals of how many stalls there were and of how long they were together. Never below what was seen.
 */
export function totalsInterval(parts: readonly SeenPart[]): { readonly count: Interval; readonly sumNs: Interval } {
  return {
    count: totalInterval(parts, countOf, (set) => 1 / countOf(set)),
    sumNs: totalInterval(parts, ({ sumNs }) => sumNs, varianceOfSum),
  };
}

/** Of a sum of so many stalls, relative to its square, were they independent: few long ones make most of it. */
function varianceOfSum({ weights }: StallSet): number {
  const sum = weights.reduce((total, [ns, n]) => total + ns * n, 0);
  const squares = weights.reduce((total, [ns, n]) => total + ns * ns * n, 0);
  return sum > 0 ? squares / sum ** 2 : 0;
}

/** @param varianceOfSeen of what was seen, relative to its square: that it is so many, and such ones */
function totalInterval(
  parts: readonly SeenPart[],
  of: (set: StallSet) => number,
  varianceOfSeen: (set: StallSet) => number,
): Interval {
  const seen = parts.reduce((sum, part) => sum + of(part.seen), 0);
  const total = parts.reduce((sum, part) => sum + (part.share > 0 ? of(part.seen) / part.share : 0), 0);
  const samples = parts.filter(({ share }) => share < 1);
  const variance = samples.reduce(
    (sum, part) => sum + (part.share > 0 ? (deviation(part, varianceOfSeen) * of(part.seen)) / part.share : 0) ** 2,
    0,
  );
  const factor = total > 0 ? Math.exp((z90 * Math.sqrt(variance)) / total) : 1;
  const isBounded = samples.every((part) => countOf(part.seen) > 0);
  return { low: Math.max(seen, total / factor), high: isBounded ? total * factor : null };
}

/** Relative to what was seen, scaled. */
function deviation({ seen, share, looks, lookVariance }: SeenPart, varianceOfSeen: (set: StallSet) => number): number {
  const ofOneLook = Math.max(leastLookDeviation ** 2, lookVariance);
  return countOf(seen) === 0 ? 0 : Math.sqrt((ofOneLook * (1 - share)) / looks + designEffect * varianceOfSeen(seen));
}

function countOf({ weights }: StallSet): number {
  return weights.reduce((sum, [, n]) => sum + n, 0);
}
