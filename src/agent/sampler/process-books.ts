/** What the programs' own books say at this moment, of the processes of one target. */
import { ControllerReadError, type ControllerReader, type GcLimiter, type HeapNow } from '../../host/index.ts';
import { readBooks } from './books.ts';
import type { GcReading } from './books-ledger.ts';
import type { FollowedProcess } from './process-state.ts';
import type { Progress } from './progress.ts';

type Processes = Iterable<FollowedProcess>;

/** What was read, by pid; refused are those whose books cannot be what they were taken for: they are closed. */
export interface Read<T> {
  readonly values: ReadonlyMap<number, T>;
  /** Null: none. */
  readonly refusals: ReadonlyMap<FollowedProcess, ControllerReadError> | null;
}

/** Of processes that the probe does not watch. */
export function readingsOf(processes: Processes): Read<GcReading> {
  return readAll(processes, ({ progress }) => (progress.kind === 'read' ? progress.reader : null), readBooks);
}

/** Of processes that the probe watches. */
export function heapsOf(processes: Processes): Read<HeapNow> {
  return readAll(
    processes,
    ({ progress }) => (progress.kind === 'watched' ? readerOf(progress) : null),
    (reader) => reader.readHeap(),
  );
}

const none: ReadonlyMap<number, never> = new Map<number, never>();

function readAll<T>(
  processes: Processes,
  readerOfProcess: (process: FollowedProcess) => ControllerReader | null,
  read: (reader: ControllerReader) => T | null | undefined,
): Read<T> {
  let values: Map<number, T> | null = null;
  let refusals: Map<FollowedProcess, ControllerReadError> | null = null;
  for (const process of processes) {
    const reader = readerOfProcess(process);
    if (reader === null) continue;
    try {
      const value = read(reader);
      if (!value) continue;
      values ??= new Map();
      values.set(process.pid, value);
    } catch (error) {
      if (!(error instanceof ControllerReadError)) throw error;
      reader.close();
      refusals ??= new Map();
      refusals.set(process, error);
    }
  }
  return { values: values ?? none, refusals };
}

export function limitersOf(processes: Processes): ReadonlyMap<number, GcLimiter> {
  const found = new Map<number, GcLimiter>();
  for (const { pid, progress } of processes) {
    const limiter = readerOf(progress)?.readLimiter();
    if (limiter) found.set(pid, limiter);
  }
  return found;
}

function readerOf(progress: Progress): ControllerReader | null {
  if (progress.kind === 'read') return progress.reader;
  return progress.kind === 'watched' && 'read' in progress.books ? progress.books : null;
}
