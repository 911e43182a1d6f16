/**
 * GC facts of one process's windows from its own books (`runtime.gcController`, `runtime.work`), read once a window: what there is without
 * the probe. Pure: readings in, charges out.
 *
 * The runtime books a cycle's CPU time when marking ends. While a cycle marks, the assists booked so far and the quarter of GOMAXPROCS that
 * the pacer reserves are charged ahead; what was charged ahead too much is missing from the next charges. So here too the sum over windows
 * is what the runtime booked.
 */
import type { ControllerBooks, GcWork } from '../../host/index.ts';
import { backgroundUtilization, type GcCharge } from './gc-ledger.ts';

/** Both read at one moment; `work` is null where it cannot be told at this one. */
export interface GcReading {
  readonly books: ControllerBooks;
  readonly work: GcWork | null;
}

/** Since the program began; each never falls. */
interface Booked {
  readonly cycles: number;
  readonly gcCpuNs: number;
  readonly assistCpuNs: number;
  readonly idleCpuNs: number;
}

const nothing: Booked = { cycles: 0, gcCpuNs: 0, assistCpuNs: 0, idleCpuNs: 0 };

export class BooksLedger {
  #before: ControllerBooks | null = null;
  #booked: Booked | null = null;
  #procs = 0;

  /** Charges the window that ends with this reading; nothing to the first one, from which the next counts. */
  close({ books, work }: GcReading): GcCharge {
    const before = this.#before;
    this.#before = books;
    const earlier = this.#booked;
    const now = work === null ? earlier : atLeast(earlier ?? nothing, bookedAt(books, work));
    this.#booked = now;
    if (work !== null) this.#procs = work.procs;
    const rise = (of: keyof Booked): number => (earlier && now ? now[of] - earlier[of] : 0);
    const cycles = rise('cycles');
    return {
      gcCpuNs: rise('gcCpuNs'),
      assistCpuNs: rise('assistCpuNs'),
      idleCpuNs: rise('idleCpuNs'),
      cycles,
      limitDrivenCycles: before?.goalByMemoryLimit === true ? cycles : 0,
      allocBytesPerSecond: before && allocationRate(before, books),
      last: this.#procs > 0 ? { ...books, procs: this.#procs } : null,
    };
  }
}

function bookedAt(books: ControllerBooks, work: GcWork): Booked {
  const isUnderWay = work.sweepTerminationAtNs > work.endAtNs;
  // The books, read first, may still be those of the cycle before.
  const isMarking =
    isUnderWay &&
    work.markAtNs > work.markTerminationAtNs &&
    books.markStartNs > work.endAtNs &&
    books.markStartNs <= work.markAtNs;
  const assistSoFarNs = isMarking ? books.assistNs : 0;
  const reservedNs = isMarking ? backgroundUtilization * work.procs * Math.max(0, books.atNs - work.markAtNs) : 0;
  return {
    cycles: isUnderWay ? Math.max(0, work.cycles - 1) : work.cycles,
    gcCpuNs: work.assistNs + work.dedicatedNs + work.pauseNs + assistSoFarNs + reservedNs,
    assistCpuNs: work.assistNs + assistSoFarNs,
    idleCpuNs: work.idleNs,
  };
}

function atLeast(low: Booked, value: Booked): Booked {
  return {
    cycles: Math.max(low.cycles, value.cycles),
    gcCpuNs: Math.max(low.gcCpuNs, value.gcCpuNs),
    assistCpuNs: Math.max(low.assistCpuNs, value.assistCpuNs),
    idleCpuNs: Math.max(low.idleCpuNs, value.idleCpuNs),
  };
}

function allocationRate(before: ControllerBooks, books: ControllerBooks): number | null {
  const seconds = (books.atNs - before.atNs) / 1e9;
  return seconds > 0 ? Math.max(0, books.totalAllocBytes - before.totalAllocBytes) / seconds : null;
}
