/** Which windows verification compares. Pure. */
import { durationMs, type PolicySpec } from '../api/index.ts';
import type { SignalWindow } from '../model/index.ts';

/**
 * What came before an action: the latest windows, as long a stretch as will be looked at afterwards. They include those of the capture
 * itself, whose own pauses are listed apart: a breach is often known after three windows, too few to compare. And those from before the
 * container was started anew, such as by an OOM kill, while the program ran with the same GOGC and GOMEMLIMIT as it does now.
 */
export function stretchBefore(windows: readonly SignalWindow[], { actions }: PolicySpec): SignalWindow[] {
  const newest = windows.at(-1);
  if (!newest) return [];
  const fromMs = Date.parse(newest.endedAt) - durationMs(actions.verify.window);
  const recent = windows.filter(({ endedAt }) => Date.parse(endedAt) > fromMs);
  const isOfNewest = ({ containerId }: SignalWindow) => containerId === newest.containerId;
  const now = settingsOf(recent.filter(isOfNewest));
  const others = recent.filter((window) => !isOfNewest(window)).map(({ containerId }) => containerId);
  const alike = new Set(
    [...new Set(others)].filter(
      (id) => now !== undefined && settingsOf(recent.filter(({ containerId }) => containerId === id)) === now,
    ),
  );
  return recent.filter((window) => isOfNewest(window) || alike.has(window.containerId));
}

/** By the last cycle of one life of the container; undefined: none was seen. */
function settingsOf(windows: readonly SignalWindow[]): string | undefined {
  const gc = windows.findLast((window) => window.gc !== null)?.gc;
  return gc ? `${gc.gogc} ${gc.goMemLimitBytes}` : undefined;
}
