/** When the Go runtime begins a collection, how much of it an allocation pays for, and when it may not: runtime/mgcpacer.go and mgclimit.go, Go 1.26. Pure. */

import { heapGoalBytes } from '../../../src/model/index.ts';

/** gcBackgroundUtilization, which is gcGoalUtilization too: of all processors, for the collector's own workers. */
export const BACKGROUND_UTILIZATION = 0.25;
const DEFAULT_HEAP_MINIMUM_BYTES = 4 * 2 ** 20;
const TRIGGER_RATIO_DEN = 64;
const MIN_TRIGGER_RATIO_NUM = 45;
const MAX_TRIGGER_RATIO_NUM = 61;
const MOST_OVERSHOOT = 1.1;

/** gcPercentHeapGoal of `commit`; null: GOGC is off. */
export function percentGoalBytes(heapMarkedBytes: number, rootsBytes: number, gogc: number): number | null {
  if (gogc < 0) return null;
  const heapMinimumBytes = (DEFAULT_HEAP_MINIMUM_BYTES * gogc) / 100;
  return Math.max(heapMinimumBytes, heapGoalBytes(heapMarkedBytes, rootsBytes, gogc));
}

/** `trigger`: the heap at which the next collection begins. @param runwayBytes what the program allocated during the last ones, see `runwayBytes` */
export function triggerBytes(goalBytes: number, heapMarkedBytes: number, runwayBytes: number): number {
  if (heapMarkedBytes >= goalBytes) return goalBytes;
  const part = (goalBytes - heapMarkedBytes) / TRIGGER_RATIO_DEN;
  const least = heapMarkedBytes + part * MIN_TRIGGER_RATIO_NUM;
  const most = Math.max(least, heapMarkedBytes + part * MAX_TRIGGER_RATIO_NUM, goalBytes - DEFAULT_HEAP_MINIMUM_BYTES);
  return Math.min(most, Math.max(least, goalBytes - runwayBytes));
}

/** consMark of `endCycle`: bytes that the program allocated for each byte that was scanned, per share of the processors. */
export function consMark(
  { allocatedBytes, scannedBytes }: { readonly allocatedBytes: number; readonly scannedBytes: number },
  { utilization, idleUtilization }: { readonly utilization: number; readonly idleUtilization: number },
): number {
  return (allocatedBytes * (utilization + idleUtilization)) / (scannedBytes * (1 - Math.min(0.95, utilization)));
}

/** `commit`: how far before the goal the next collection is to begin. */
export function runwayBytes(consMarkRatio: number, scanBytes: number): number {
  return consMarkRatio * ((1 - BACKGROUND_UTILIZATION) / BACKGROUND_UTILIZATION) * scanBytes;
}

/** assistWorkPerByte of `revise`: bytes to scan for each byte allocated while marking. */
export function assistRatio(goalBytes: number, heapLiveBytes: number, scanBytesLeft: number): number {
  const hardGoalBytes = heapLiveBytes > goalBytes ? goalBytes * MOST_OVERSHOOT : goalBytes;
  return Math.max(1000, scanBytesLeft) / Math.max(1, hardGoalBytes - heapLiveBytes);
}

/**
 * `gcCPULimiterState`: a bucket that GC time fills and the program's time drains. While it is full nobody assists, and the heap grows past its
 * goal instead of the collector taking more than half of the processors.
 */
export class CpuLimiter {
  readonly #capacitySeconds: number;
  #fillSeconds = 0;
  #isLimiting = false;

  /** @param processors GOMAXPROCS: one CPU second for each (capacityPerProc) */
  constructor(processors: number) {
    this.#capacitySeconds = processors;
  }

  get isLimiting(): boolean {
    return this.#isLimiting;
  }

  /** @param gcSeconds of CPU time, idle workers left out */
  account(programSeconds: number, gcSeconds: number): void {
    const fill = this.#fillSeconds + gcSeconds - programSeconds;
    this.#fillSeconds = Math.min(this.#capacitySeconds, Math.max(0, fill));
    this.#isLimiting = fill >= this.#capacitySeconds;
  }
}
