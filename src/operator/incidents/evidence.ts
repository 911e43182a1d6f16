/** Windows as a bundle holds them. Pure. */
import { durationMs, type RobotGCPolicy } from '../../api/index.ts';
import { SignalWindow } from '../../model/index.ts';

/** A hostile or damaged line is left out: the manifest proves who wrote it, not that it is sense. */
export function readWindows(file: Uint8Array | undefined): SignalWindow[] {
  const windows: SignalWindow[] = [];
  for (const line of new TextDecoder().decode(file).split('\n')) {
    const window = SignalWindow.safeParse(parseJson(line));
    if (window.success) windows.push(window.data);
  }
  return windows;
}

/**
 * What verification compares with: the latest recorded windows, as long a stretch as will be looked at afterwards. They include those
 * of the capture itself, whose own pauses are listed apart: a breach is often known after three windows, too few to compare.
 */
export function stretchBefore(windows: readonly SignalWindow[], policy: RobotGCPolicy): SignalWindow[] {
  const newest = windows.at(-1);
  if (!newest) return [];
  const fromMs = Date.parse(newest.endedAt) - durationMs(policy.spec.actions.verify.window);
  return windows.filter((window) => window.containerId === newest.containerId && Date.parse(window.endedAt) > fromMs);
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
