/** Many windows as one line of numbers: what an incident shows as before and after. */
import type { SignalSummary } from '../api/index.ts';
import { nearestRank, type WeightedNs } from './quantiles.ts';
import type { SignalWindow, StallStats } from './window.ts';

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
    gcStallP99Ms: pooledP99Ns(windows.map((window) => window.gcStall)) / 1e6,
    gcPauseP99Ms: pooledP99Ns(windows.map((window) => window.gcPause)) / 1e6,
    gcRatePerSecond: seconds > 0 ? cycles / seconds : 0,
    heapLiveBytes: newest?.heapLiveBytes ?? 0,
    heapGoalBytes: newest?.heapGoalBytes ?? 0,
    gogc: newest?.gogc ?? null,
  };
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
 * 99th percentile of all stalls of all windows, from what each window kept of its own: count, P50, P99, maximum and sum.
 * An estimate (windows hold no histograms) that never exceeds the largest maximum and is exact for windows of one or two stalls.
 */
export function pooledP99Ns(windows: readonly StallStats[]): number {
  const weights = windows.flatMap(sketch).sort((a, b) => a[0] - b[0]);
  const count = weights.reduce((sum, [, n]) => sum + n, 0);
  return count === 0 ? 0 : nearestRank(weights, count, 0.99);
}

/**
 * A window's distribution as four weights: its lower half at the P50, its one largest at the maximum, the share above the P99
 * between both, and the rest at the mean that the sum leaves for it, held between P50 and P99.
 */
function sketch({ count, p50Ns, p99Ns, maxNs, sumNs }: StallStats): WeightedNs[] {
  if (count === 0) return [];
  const lower = Math.floor(count / 2);
  // Ranks above the P99's own, less the maximum: none below 200 stalls.
  const tail = Math.max(0, Math.floor(count / 100) - 1);
  const middle = count - lower - tail - 1;
  const restNs = (sumNs - maxNs - tail * p99Ns) / Math.max(1, middle);
  const weights: WeightedNs[] = [
    [p50Ns, lower],
    [Math.min(Math.max(restNs, p50Ns), p99Ns), middle],
    [p99Ns, tail],
    [maxNs, 1],
  ];
  return weights.filter(([, n]) => n > 0);
}
