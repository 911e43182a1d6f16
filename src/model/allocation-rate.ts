/** Bytes allocated per second over a stretch of windows: a mean, because a program that works in bursts allocates nothing in most of them. Pure. */
import type { SignalWindow } from './window.ts';

/** Undefined where no window knows it. */
export function allocationRate(windows: readonly SignalWindow[]): number | undefined {
  let bytes = 0;
  let ms = 0;
  for (const { gc, durationMs } of windows) {
    if (!gc) continue;
    bytes += (gc.allocBytesPerSecond * durationMs) / 1000;
    ms += durationMs;
  }
  return ms > 0 ? (bytes * 1000) / ms : undefined;
}
