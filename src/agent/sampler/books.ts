/** The collector's books of one process, read through /proc/PID/mem: what there is of it where the probe cannot watch it. */
import type { GcGlobals } from '../../gobin/index.ts';
import {
  ControllerReadError,
  type ControllerReader,
  type Executable,
  monotonicNs,
  openController,
  type Proc,
  type ProcessIdentity,
} from '../../host/index.ts';
import type { PlanCache } from './attachments.ts';
import type { GcReading } from './books-ledger.ts';

/** A Go runtime needs some milliseconds, more on a busy machine. */
const earlyMs = 5_000;

export type OpenedBooks =
  | { readonly kind: 'open'; readonly reader: ControllerReader }
  /** The process has ended. */
  | { readonly kind: 'gone' }
  /** It has just begun, and has not opened its books yet. */
  | { readonly kind: 'early' }
  | RefusedBooks;

interface RefusedBooks {
  readonly kind: 'refused';
  readonly reason: string;
  readonly message: string;
}

export function openBooks(proc: Proc, process: ProcessIdentity, executable: Executable, plans: PlanCache): OpenedBooks {
  const globals = globalsOf(executable, plans);
  if (globals.kind === 'refused') return globals;
  try {
    return { kind: 'open', reader: openController(proc, process, globals) };
  } catch (error) {
    if (!(error instanceof ControllerReadError)) throw error;
    if (error.code === 'GONE') return { kind: 'gone' };
    if (error.code === 'IMPLAUSIBLE' && isJustBorn(process)) return { kind: 'early' };
    return { kind: 'refused', reason: error.code, message: error.message };
  }
}

/** The file of a process that ends meanwhile cannot be read any more: an answer like others, for whoever has begun to watch the process. */
function globalsOf(executable: Executable, plans: PlanCache): GcGlobals | RefusedBooks {
  try {
    return plans.globalsFor(executable);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { kind: 'refused', reason: 'unreadable', message: `${executable.link} cannot be read: ${message}` };
  }
}

/** The kernel counts start times in hundredths of a second since boot, on a clock that also runs while the machine sleeps. */
function isJustBorn({ startTicks }: ProcessIdentity): boolean {
  return monotonicNs() / 1e6 - startTicks * 10 < earlyMs;
}

/** Null when the process has ended, or its books cannot be read. */
export function openReader(pid: number, proc: Proc, plans: PlanCache): ControllerReader | null {
  const identity = proc.identity(pid);
  const executable = proc.executable(pid);
  const opened = identity && executable && openBooks(proc, identity, executable, plans);
  return opened?.kind === 'open' ? opened.reader : null;
}

/** Null when the process has ended. Throws `ControllerReadError` when these cannot be its books. */
export function readBooks(reader: ControllerReader): GcReading | null {
  // In this order: a cycle that ends between the two is charged once, as ended.
  const books = reader.read();
  const work = books && reader.readWork();
  return books === undefined || work === undefined ? null : { books, work };
}
