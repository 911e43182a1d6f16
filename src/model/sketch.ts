/**
 * A window keeps count, P50, P99 and maximum of its stalls, not the stalls themselves. To pool many windows, each is drawn again as a
 * distribution through those three points, log-normal in between: durations of stalls are skewed in about that way.
 */
import { rankOf, type WeightedNs } from './quantiles.ts';
import type { StallStats } from './window.ts';

/** Ranks from the top are drawn in blocks that grow by this factor: fine where quantiles are asked for, coarse where not. */
const BLOCK_GROWTH = 1.25;

/** Weighted durations that have the window's count, P50, P99 and maximum. */
export function sketch(stats: StallStats): WeightedNs[] {
  const { count, p50Ns } = stats;
  if (count === 0) return [];
  const middle = rankOf(0.5, count);
  const weights: WeightedNs[] = [[p50Ns, middle]];
  let top = count;
  for (let above = 0; top > middle; ) {
    const size = Math.max(1, Math.floor(above * (BLOCK_GROWTH - 1)));
    const lowest = Math.max(middle, top - size);
    weights.push([durationAt(top, stats), top - lowest]);
    above += top - lowest;
    top = lowest;
  }
  return weights;
}

/** Duration of the stall of a rank above the middle one. */
function durationAt(rank: number, { count, p50Ns, p99Ns, maxNs }: StallStats): number {
  const scoreAt = (r: number) => normalScore((r - 0.5) / count);
  const rank99 = rankOf(0.99, count);
  if (rank === count) return maxNs;
  if (rank === rank99) return p99Ns;
  return rank < rank99
    ? between(scoreAt(rankOf(0.5, count)), p50Ns, scoreAt(rank99), p99Ns, scoreAt(rank))
    : between(scoreAt(rank99), p99Ns, scoreAt(count), maxNs, scoreAt(rank));
}

/** A straight line in logarithms; plain where a logarithm has no meaning. */
function between(x0: number, y0: number, x1: number, y1: number, x: number): number {
  const share = Math.min(1, Math.max(0, (x - x0) / (x1 - x0)));
  return y0 > 0 ? y0 * (y1 / y0) ** share : y0 + (y1 - y0) * share;
}

/** Inverse of the standard normal distribution, Abramowitz & Stegun 26.2.23: error below 4.5e-4. */
export function normalScore(p: number): number {
  const t = Math.sqrt(-2 * Math.log(Math.min(p, 1 - p)));
  const upper =
    t - (2.515517 + 0.802853 * t + 0.010328 * t * t) / (1 + 1.432788 * t + 0.189269 * t * t + 0.001308 * t * t * t);
  return p < 0.5 ? -upper : upper;
}
