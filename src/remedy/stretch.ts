/** Which windows verification compares. Pure. */
import { durationMs, type PolicySpec } from '../api/index.ts';
import type { SignalWindow } from '../model/index.ts';

/**
 * What came before an action: the latest windows, as long a stretch as will be looked at afterwards. They include those of the capture
 * itself, whose own pauses are listed apart: a breach is often known after three windows, too few to compare.
 */
export function stretchBefore(windows: readonly SignalWindow[], { actions }: PolicySpec): SignalWindow[] {
  const newest = windows.at(-1);
  if (!newest) return [];
  const fromMs = Date.parse(newest.endedAt) - durationMs(actions.verify.window);
  return windows.filter((window) => window.containerId === newest.containerId && Date.parse(window.endedAt) > fromMs);
}
