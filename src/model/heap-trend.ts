import { median, type Point, thin } from './trend.ts';

/** What two or more finished cycles tell of the heap; a probe's cycle event has these fields. */
export interface CycleHeap {
  readonly atNs: number;
  /** Live heap that the cycle marked. */
  readonly heapMarkedBytes: number;
  /** Bytes allocated since the program began. */
  readonly totalAllocBytes: number;
}

export interface Slope {
  /** Theil–Sen: the median of the slopes of all pairs, per second. */
  readonly perSecond: number;
  /** The true slope lies between these with the confidence asked for; infinite where the points are too few to say. */
  readonly low: number;
  readonly high: number;
}

export interface HeapTrend {
  readonly spanSeconds: number;
  readonly cycles: number;
  /** Between the first and the last cycle. */
  readonly allocBytesPerSecond: number;
  readonly liveBytesPerSecond: Slope;
}

/** z of the normal distribution for a two-sided 95 %. */
const z95 = 1.959964;
/** All pairs of so many points: about 20,000 slopes. */
const mostPoints = 200;

/**
 * Slope with a distribution-free 95 % confidence interval: the slopes of all pairs in order, cut where Kendall's S would still pass for
 * chance (P. K. Sen 1968, section 4; ties in time count as no pair). Points are taken as independent: where neighbours are alike (a cache
 * that fills in minutes) the interval is too narrow. Null without two points at different times.
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

/** Allocation rate and slope of the live heap over cycles of one process, in order of time; null with fewer than two. */
export function heapTrend(cycles: readonly CycleHeap[]): HeapTrend | null {
  const first = cycles[0];
  const last = cycles.at(-1);
  if (first === undefined || last === undefined || last.atNs <= first.atNs) return null;
  const spanSeconds = (last.atNs - first.atNs) / 1e9;
  const points = thin(cycles, mostPoints).map((cycle) => ({
    atSeconds: (cycle.atNs - first.atNs) / 1e9,
    value: cycle.heapMarkedBytes,
  }));
  const slope = slopeOf(points);
  if (slope === null) return null;
  return {
    spanSeconds,
    cycles: cycles.length,
    allocBytesPerSecond: Math.max(0, last.totalAllocBytes - first.totalAllocBytes) / spanSeconds,
    liveBytesPerSecond: slope,
  };
}
