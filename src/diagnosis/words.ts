/** Numbers as evidence shows them. */
import type { SignalWindow } from '../model/index.ts';
import type { Facts } from './evidence.ts';

export function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}

export function mebibytes(bytes: number): string {
  return `${Number((bytes / 2 ** 20).toPrecision(4))} MiB`;
}

export function milliseconds(ns: number): string {
  return `${Number((ns / 1e6).toPrecision(3))} ms`;
}

/** The collector's figures of the latest minute, each against its limit: the evidence that every GC cause shares. */
export function gcEvidence({ summary, recent, evidence: { thresholds } }: Facts): string[] {
  return [
    `GC CPU share ${percent(summary.gcCpuShare)} over ${summary.windows} windows, limit ${percent(thresholds.gcCpuShare)}`,
    `GC stall P99 ${milliseconds(summary.gcStallP99Ms * 1e6)}, limit ${milliseconds(thresholds.gcStallP99Ns)}`,
    `${Number(summary.gcRatePerSecond.toPrecision(3))} GC cycles a second, live heap ${mebibytes(summary.heapLiveBytes)}, goal ${mebibytes(summary.heapGoalBytes)}`,
    ...otherStops(recent),
  ];
}

/** No cause of a long GC stall, and held against nobody; but whoever looks for what was slow should know. */
function otherStops(windows: readonly SignalWindow[]): string[] {
  const stops = windows.flatMap(({ otherPause }) => (otherPause && otherPause.count > 0 ? [otherPause] : []));
  if (stops.length === 0) return [];
  const sum = (of: (stop: (typeof stops)[number]) => number): number =>
    stops.reduce((total, stop) => total + of(stop), 0);
  const profiling = sum((stop) => stop.profiling);
  const whose = profiling > 0 ? `, ${profiling} of them by profiling that is not ours` : '';
  const longest = milliseconds(Math.max(...stops.map(({ maxNs }) => maxNs)));
  return [`stops of the world besides the collector's: ${sum(({ count }) => count)}, up to ${longest}${whose}`];
}

/** Independent grounds together: 1 − Π(1 − wᵢ). */
export function together(weights: readonly number[]): number {
  return Number((1 - weights.reduce((doubt, weight) => doubt * (1 - weight), 1)).toFixed(3));
}
