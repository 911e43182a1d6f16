/** Robust trend of a series: medians instead of means, so that one odd window decides nothing. */

export interface Point {
  readonly atSeconds: number;
  readonly value: number;
}

export function median(values: readonly number[]): number {
  const ascending = [...values].sort((a, b) => a - b);
  const middle = Math.floor(ascending.length / 2);
  const upper = ascending[middle] ?? 0;
  return ascending.length % 2 === 1 ? upper : ((ascending[middle - 1] ?? upper) + upper) / 2;
}

export interface Slope {
  /** Theil–Sen: the median of the slopes of all pairs, per second. */
  readonly perSecond: number;
  /** The true slope lies between these with the confidence asked for; infinite where the points are too few to say. */
  readonly low: number;
  readonly high: number;
}

/** z of the normal distribution for a two-sided 95 %. */
const z95 = 1.959964;

/**
 * Theil–Sen slope (H. Theil 1950) with a distribution-free 95 % confidence interval: the slopes of all pairs in order, cut where Kendall's S
 * would still pass for chance (P. K. Sen 1968, section 4; ties in time count as no pair). Points are taken as independent: where neighbours
 * are alike (a cache that fills in minutes) the interval is too narrow. Null without two points at different times. O(n²): thin long series
 * before.
 */
export function slopeOf(points: readonly Point[]): Slope | null {
  const slopes: number[] = [];
  points.forEach((from, index) => {
    for (const to of points.slice(index + 1)) {
      if (to.atSeconds !== from.atSeconds) slopes.push((to.value - from.value) / (to.atSeconds - from.atSeconds));
    }
  });
  if (slopes.length === 0) return null;
  slopes.sort((a, b) => a - b);
  const n = points.length;
  const chance = z95 * Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18);
  const cut = Math.floor((slopes.length - chance) / 2);
  return {
    perSecond: median(slopes),
    low: cut < 1 ? Number.NEGATIVE_INFINITY : (slopes[cut - 1] ?? Number.NEGATIVE_INFINITY),
    high: cut < 1 ? Number.POSITIVE_INFINITY : (slopes[slopes.length - cut] ?? Number.POSITIVE_INFINITY),
  };
}

/** Kendall's τ against time, −1 to 1: how consistently the series rises (M. G. Kendall 1938). Ties count as neither. */
export function kendallTau(values: readonly number[]): number {
  let concordant = 0;
  let pairs = 0;
  values.forEach((from, index) => {
    for (const to of values.slice(index + 1)) {
      concordant += Math.sign(to - from);
      pairs += 1;
    }
  });
  return pairs === 0 ? 0 : concordant / pairs;
}

/** At most `most` points, evenly spread, the last kept. */
export function thin<T>(series: readonly T[], most: number): T[] {
  if (series.length <= most) return [...series];
  const stride = series.length / most;
  return Array.from({ length: most }, (_, index) => series[Math.ceil((index + 1) * stride) - 1]).filter(
    (point) => point !== undefined,
  );
}
