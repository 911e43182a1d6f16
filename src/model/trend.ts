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

/**
 * Theil–Sen slope: the median of the slopes of all pairs, in units per second. H. Theil 1950, P. K. Sen 1968. O(n²): thin long series
 * before.
 */
export function theilSenSlope(points: readonly Point[]): number {
  const slopes: number[] = [];
  points.forEach((from, index) => {
    for (const to of points.slice(index + 1)) {
      if (to.atSeconds !== from.atSeconds) slopes.push((to.value - from.value) / (to.atSeconds - from.atSeconds));
    }
  });
  return slopes.length === 0 ? 0 : median(slopes);
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
