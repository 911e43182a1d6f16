/** What cycles tell of a heap over time: how fast the program allocates, and whether what stays grows. Pure. */
import { type Slope, slopeOf, thin } from './trend.ts';

/** What two or more finished cycles tell of the heap; a probe's cycle event has these fields. */
export interface CycleHeap {
  readonly atNs: number;
  /** Live heap that the cycle marked. */
  readonly heapMarkedBytes: number;
  /** Bytes allocated since the program began. */
  readonly totalAllocBytes: number;
}

export interface HeapTrend {
  readonly spanSeconds: number;
  readonly cycles: number;
  /** Between the first and the last cycle. */
  readonly allocBytesPerSecond: number;
  readonly liveBytesPerSecond: Slope;
}

/** All pairs of so many points: about 20,000 slopes. */
const mostPoints = 200;

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
