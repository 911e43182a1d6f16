/**
 * When the next tick is due: on a grid fixed at the start, so that a late tick never shifts those after it, and at least half a period away,
 * because a window so short is not judged: after a late tick one window is longer, and nothing that happened is left out of all.
 *
 * @param startMs monotonic time of the grid's origin
 * @param nowMs monotonic time
 * @returns monotonic time of a grid point; ticks missed meanwhile are skipped, not made up for
 */
export function nextTickMs(startMs: number, nowMs: number, periodMs: number): number {
  if (nowMs < startMs) return startMs;
  return startMs + Math.max(1, Math.ceil((nowMs - startMs) / periodMs + 0.5)) * periodMs;
}
