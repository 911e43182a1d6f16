/** Trend of the live heap over windows: what `heapTrend` tells of cycles, where windows are all there is. Pure. */
import { type HeapTrend, heapTrend } from './heap-trend.ts';
import type { SignalWindow } from './window.ts';

/**
 * Slope of the live heap with its 95 % interval, and the mean allocation rate, over the windows of the newest one's processes in which a
 * cycle ended. Null with fewer than two.
 *
 * @param windows of one container, oldest first
 */
export function liveHeapTrend(windows: readonly SignalWindow[]): HeapTrend | null {
  const newest = windows.at(-1);
  let totalAllocBytes = 0;
  const ends = windows.flatMap(({ gc, pids, endedAt, durationMs }) => {
    if (!gc || pids.join() !== newest?.pids.join()) return [];
    totalAllocBytes += (gc.allocBytesPerSecond * durationMs) / 1e3;
    return gc.cycles > 0
      ? [{ atNs: Date.parse(endedAt) * 1e6, heapMarkedBytes: gc.heapLiveBytes, totalAllocBytes }]
      : [];
  });
  return heapTrend(ends);
}
