/**
 * When the next tick is due: on a grid fixed at the start, so that a late tick never shifts those after it.
 *
 * @param startMs monotonic time of the grid's origin
 * @param nowMs monotonic time
 * @returns monotonic time of the first grid point after `nowMs`; ticks missed meanwhile are skipped, not made up for
 */
export function nextTickMs(startMs: number, nowMs: number, periodMs: number): number {
  if (nowMs < startMs) return startMs;
  return startMs + (Math.floor((nowMs - startMs) / periodMs) + 1) * periodMs;
}
