/** What the programs' own books say at this moment, of the processes of one target. */
import { ControllerReadError, type ControllerReader, type GcLimiter, type HeapNow } from '../../host/index.ts';
import { readBooks } from './books.ts';
import type { GcReading } from './books-ledger.ts';
import type { FollowedProcess } from './process-state.ts';
import type { Progress } from './progress.ts';

type Processes = Iterable<FollowedProcess>;

/** Of processes that the probe does not watch; refused are those whose books cannot be what they were taken for. */
export function readingsOf(processes: Processes): {
  readonly readings: ReadonlyMap<number, GcReading>;
  readonly refusals: ReadonlyMap<FollowedProcess, ControllerReadError>;
} {
  const readings = new Map<number, GcReading>();
  const refusals = new Map<FollowedProcess, ControllerReadError>();
  for (const process of processes) {
    const { pid, progress } = process;
    if (progress.kind !== 'read') continue;
    try {
      const reading = readBooks(progress.reader);
      if (reading) readings.set(pid, reading);
    } catch (error) {
      if (!(error instanceof ControllerReadError)) throw error;
      progress.reader.close();
      refusals.set(process, error);
    }
  }
  return { readings, refusals };
}

export function limitersOf(processes: Processes): ReadonlyMap<number, GcLimiter> {
  const found = new Map<number, GcLimiter>();
  for (const { pid, progress } of processes) {
    const limiter = readerOf(progress)?.readLimiter();
    if (limiter) found.set(pid, limiter);
  }
  return found;
}

/** Of processes that the probe watches. Books that cannot be what they were taken for are closed, and missed from then on. */
export function heapsOf(processes: Processes): ReadonlyMap<number, HeapNow> {
  const found = new Map<number, HeapNow>();
  for (const process of processes) {
    const { pid, progress } = process;
    if (progress.kind !== 'watched' || !('read' in progress.books)) continue;
    try {
      const heap = progress.books.readHeap();
      if (heap) found.set(pid, heap);
    } catch (error) {
      if (!(error instanceof ControllerReadError)) throw error;
      progress.books.close();
      process.progress = { ...progress, books: { reason: error.code, message: error.message } };
    }
  }
  return found;
}

function readerOf(progress: Progress): ControllerReader | null {
  if (progress.kind === 'read') return progress.reader;
  return progress.kind === 'watched' && 'read' in progress.books ? progress.books : null;
}
