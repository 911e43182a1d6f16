/** Whether pressure asks for more memory, or for something else. Pure. */
import type { SignalWindow } from './window.ts';

/** Working set that is this share of the limit, or more, is near it. */
export const NEAR_LIMIT = 0.85;

/**
 * Windows with more pressure than the threshold and the working set near the limit, two or more in a row: one may be a file that was read.
 * High pressure far from the limit is something else, such as a neighbour on the node.
 *
 * @param threshold share of a window in which some task stalled on memory; null where nearness alone counts
 */
export function pressedNearLimit(windows: readonly SignalWindow[], threshold: number | null): SignalWindow[] {
  const pressed = windows.map(({ cgroup }) => {
    if (!cgroup?.memoryLimitBytes) return false;
    const workingSet = cgroup.workingSetBytes ?? cgroup.memoryCurrentBytes;
    const isPressed = threshold === null || (cgroup.memoryPressure?.some ?? 0) > threshold;
    return isPressed && workingSet >= NEAR_LIMIT * cgroup.memoryLimitBytes;
  });
  return windows.filter((_, at) => pressed[at] && (pressed[at - 1] || pressed[at + 1]));
}
