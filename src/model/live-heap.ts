/** The live heap of one container over the last minutes, in few points: kept for each of a node's containers, computed when somebody asks. Pure. */
import { type CycleHeap, type HeapTrend, heapTrend } from './heap-trend.ts';
import type { SignalWindow } from './window.ts';

/** Five minutes tell a slope from the noise of cycles. */
const keptNs = 300e9;
/** Of so long a stretch the last cycle is kept: sixty points, one or two thousand pairs. */
const stretchNs = 5e9;

export class LiveHeap {
  readonly #stretchNs: number;
  #points: CycleHeap[] = [];
  #pids: readonly number[] = [];
  #allocatedBytes = 0;
  #trend: HeapTrend | null | undefined;

  /** @param stretch ns of which one point is kept; 0 keeps every window's */
  constructor(stretch = stretchNs) {
    this.#stretchNs = stretch;
  }

  /** Another process begins anew. */
  observe({ gc, pids, endedAt, durationMs }: SignalWindow): void {
    if (!isSame(pids, this.#pids)) {
      this.#pids = pids;
      this.#points = [];
      this.#trend = undefined;
    }
    if (!gc) return;
    this.#allocatedBytes += (gc.allocBytesPerSecond * durationMs) / 1e3;
    if (gc.cycles > 0) this.#add({ atMs: Date.parse(endedAt), heapMarkedBytes: gc.heapLiveBytes });
  }

  /**
   * Slope of the live heap with its 95 % interval, and the mean allocation rate, over the windows in which a cycle ended. Null with fewer than
   * two.
   */
  trend(): HeapTrend | null {
    if (this.#trend === undefined) this.#trend = heapTrend(this.#points);
    return this.#trend;
  }

  #add({ atMs, heapMarkedBytes }: { readonly atMs: number; readonly heapMarkedBytes: number }): void {
    const atNs = atMs * 1e6;
    const last = this.#points.at(-1);
    if (last && this.#stretchOf(last.atNs) === this.#stretchOf(atNs)) this.#points.pop();
    this.#points.push({ atNs, heapMarkedBytes, totalAllocBytes: this.#allocatedBytes });
    while ((this.#points[0]?.atNs ?? atNs) < atNs - keptNs) this.#points.shift();
    this.#trend = undefined;
  }

  #stretchOf(atNs: number): number {
    return this.#stretchNs > 0 ? Math.floor(atNs / this.#stretchNs) : atNs;
  }
}

function isSame(some: readonly number[], others: readonly number[]): boolean {
  return some === others || (some.length === others.length && some.every((pid, at) => pid === others[at]));
}

/** The trend over windows of one container, oldest first, of the newest one's processes. */
export function liveHeapTrend(windows: readonly SignalWindow[]): HeapTrend | null {
  const heap = new LiveHeap(0);
  for (const window of windows) heap.observe(window);
  return heap.trend();
}
