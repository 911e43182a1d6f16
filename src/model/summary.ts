/** Many windows as one line of numbers: what an incident shows as before and after. */
import type { SignalSummary } from '../api/index.ts';
import { nearestRank } from './quantiles.ts';
import { sketch } from './sketch.ts';
import { isMissing, type SignalWindow, type StallStats } from './window.ts';

/**
 * CPU share and GC rate are means over time; heap figures and GOGC are those of the newest window that knows them. Quantiles are
 * pooled by count (`pooledP99Ns`). No window at all gives zeros and `gogc: null`.
 *
 * @param windows of one container, oldest first
 */
export function summarise(windows: readonly SignalWindow[]): SignalSummary {
  const newest = windows.findLast((window) => window.gc !== null)?.gc;
  const seconds = windows.reduce((sum, window) => sum + window.durationMs, 0) / 1000;
  const cycles = windows.reduce((sum, window) => sum + (window.gc?.cycles ?? 0), 0);
  return {
    windows: windows.length,
    gcCpuShare: timeWeightedMean(windows, (window) => window.gc?.cpuShare),
    gcStallP99Ms: pooledStallP99Ns(windows, 'gcStall') / 1e6,
    gcPauseP99Ms: pooledStallP99Ns(windows, 'gcPause') / 1e6,
    gcRatePerSecond: seconds > 0 ? cycles / seconds : 0,
    heapLiveBytes: newest?.heapLiveBytes ?? 0,
    heapGoalBytes: newest?.heapGoalBytes ?? 0,
    gogc: newest?.gogc ?? null,
  };
}

/** Over the windows in which it was observed. */
export function pooledStallP99Ns(windows: readonly SignalWindow[], field: 'gcStall' | 'gcPause' | 'gcAssist'): number {
  return pooledP99Ns(windows.filter((window) => !isMissing(window, field)).map((window) => window[field]));
}

/** Mean by duration over the windows that know the value; 0 when none does. */
export function timeWeightedMean(
  windows: readonly SignalWindow[],
  value: (window: SignalWindow) => number | undefined,
): number {
  let sum = 0;
  let durationMs = 0;
  for (const window of windows) {
    const observed = value(window);
    if (observed === undefined) continue;
    sum += observed * window.durationMs;
    durationMs += window.durationMs;
  }
  return durationMs > 0 ? sum / durationMs : 0;
}

/**
 * 99th percentile of all stalls of all windows, from what each window kept of its own (`sketch.ts`). An estimate: exact where all windows
 * are alike or hold one or two stalls, never above the largest maximum.
 */
export function pooledP99Ns(windows: readonly StallStats[]): number {
  const weights = windows.flatMap(sketch).sort((a, b) => a[0] - b[0]);
  const count = weights.reduce((sum, [, n]) => sum + n, 0);
  return count === 0 ? 0 : nearestRank(weights, count, 0.99);
}
