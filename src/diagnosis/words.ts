/** Numbers as evidence shows them. */
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
export function gcEvidence({ summary, evidence: { thresholds } }: Facts): string[] {
  return [
    `GC CPU share ${percent(summary.gcCpuShare)} over ${summary.windows} windows, limit ${percent(thresholds.gcCpuShare)}`,
    `GC stall P99 ${milliseconds(summary.gcStallP99Ms * 1e6)}, limit ${milliseconds(thresholds.gcStallP99Ns)}`,
    `${Number(summary.gcRatePerSecond.toPrecision(3))} GC cycles a second, live heap ${mebibytes(summary.heapLiveBytes)}, goal ${mebibytes(summary.heapGoalBytes)}`,
  ];
}

/** Independent grounds together: 1 − Π(1 − wᵢ). */
export function together(weights: readonly number[]): number {
  return Number((1 - weights.reduce((doubt, weight) => doubt * (1 - weight), 1)).toFixed(3));
}
