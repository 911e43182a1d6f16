import { setTimeout as sleep } from 'node:timers/promises';
import { type AllocationSample, type AllocationSeries, allocatedBetween } from '../model/index.ts';
import { monotonicNs } from './clock.ts';
import type { ControllerReader } from './controller-reader.ts';

export interface SamplingPace {
  readonly durationMs: number;
  /** Time between two reads, whole ms. */
  readonly everyMs: number;
  readonly signal?: AbortSignal;
}

/** Enough for periods of 10 to 500 ms, at about 1,500 reads. */
export const rhythmPace = { durationMs: 3_000, everyMs: 2 } as const;

/**
 * Reads a process's allocation for a few seconds, in step with the clock: a late read does not delay the next.
 * Undefined when the program ends meanwhile. Throws `ControllerReadError` and, when the signal fires, its reason.
 */
export async function recordAllocation(
  reader: Pick<ControllerReader, 'readHeap' | 'readSizeClasses'>,
  { durationMs, everyMs, signal }: SamplingPace,
): Promise<AllocationSeries | undefined> {
  const samples: AllocationSample[] = [];
  const before = reader.readSizeClasses();
  const startNs = monotonicNs();
  for (;;) {
    signal?.throwIfAborted();
    const heap = reader.readHeap();
    if (heap === undefined) return undefined;
    samples.push({ atNs: heap.atNs, totalAllocBytes: heap.totalAllocBytes });
    const sinceMs = (monotonicNs() - startNs) / 1e6;
    if (sinceMs >= durationMs) break;
    const nextMs = (Math.floor(sinceMs / everyMs) + 1) * everyMs;
    // Up: node cuts fractions off, and a timer that fires early would read twice.
    await sleep(Math.ceil(nextMs - sinceMs), undefined, signal === undefined ? undefined : { signal });
  }
  const after = reader.readSizeClasses();
  if (before === undefined || after === undefined) return undefined;
  return { samples, allocated: before === null || after === null ? null : allocatedBetween(before, after) };
}
