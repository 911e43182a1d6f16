import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AllocationSample,
  type AllocationSeries,
  allocatedBetween,
  type SizeClassCounts,
} from '../model/index.ts';
import { monotonicNs } from './clock.ts';
import { ControllerReadError, type ControllerReader } from './controller-reader.ts';

export interface SamplingPace {
  readonly durationMs: number;
  /** Time between two reads, whole ms. */
  readonly everyMs: number;
  readonly signal?: AbortSignal;
}

/** Enough for periods of 10 to 500 ms, at about 1,500 reads. */
export const rhythmPace = { durationMs: 3_000, everyMs: 2 } as const;

type Source = Pick<ControllerReader, 'readHeap' | 'readSizeClasses'>;

/** What became of one process's recording. */
export type Recorded =
  | { readonly kind: 'series'; readonly series: AllocationSeries }
  /** The program ended meanwhile. */
  | { readonly kind: 'ended' }
  | { readonly kind: 'failed'; readonly error: ControllerReadError };

/**
 * Reads the allocation of several processes for a few seconds, in step with the clock: a late read does not delay the next. Together,
 * because waking up costs far more than a read (about 50 µs against 3). One that ends or fails does not disturb the others.
 * Throws the signal's reason when it fires.
 */
export async function recordAllocations(readers: readonly Source[], pace: SamplingPace): Promise<Recorded[]> {
  const { durationMs, everyMs, signal } = pace;
  const recordings = readers.map((reader) => new Recording(reader));
  const startNs = monotonicNs();
  for (;;) {
    signal?.throwIfAborted();
    for (const recording of recordings) recording.sample();
    const sinceMs = (monotonicNs() - startNs) / 1e6;
    if (sinceMs >= durationMs || recordings.every((recording) => recording.isOver)) break;
    const nextMs = (Math.floor(sinceMs / everyMs) + 1) * everyMs;
    // Up: node cuts fractions off, and a timer that fires early would read twice.
    await sleep(Math.ceil(nextMs - sinceMs), undefined, signal === undefined ? undefined : { signal });
  }
  return recordings.map((recording) => recording.finish());
}

class Recording {
  readonly #reader: Source;
  readonly #samples: AllocationSample[] = [];
  readonly #before: SizeClassCounts | null | undefined;
  #outcome: Recorded | undefined;

  constructor(reader: Source) {
    this.#reader = reader;
    this.#before = this.#read(() => reader.readSizeClasses());
  }

  get isOver(): boolean {
    return this.#outcome !== undefined;
  }

  sample(): void {
    if (this.isOver) return;
    const heap = this.#read(() => this.#reader.readHeap());
    if (heap !== undefined) this.#samples.push({ atNs: heap.atNs, totalAllocBytes: heap.totalAllocBytes });
  }

  finish(): Recorded {
    const after = this.isOver ? undefined : this.#read(() => this.#reader.readSizeClasses());
    if (this.#outcome !== undefined || this.#before === undefined || after === undefined)
      return this.#outcome ?? { kind: 'ended' };
    const allocated = this.#before === null || after === null ? null : allocatedBetween(this.#before, after);
    return { kind: 'series', series: { samples: this.#samples, allocated } };
  }

  /** Undefined when it was the last read. */
  #read<T>(read: () => T | undefined): T | undefined {
    try {
      const value = read();
      if (value === undefined) this.#outcome = { kind: 'ended' };
      return value;
    } catch (error) {
      if (!(error instanceof ControllerReadError)) throw error;
      this.#outcome = { kind: 'failed', error };
      return undefined;
    }
  }
}
