/**
 * Reads the collector's own books (`runtime.gcController`, `runtime.memstats.heapStats`) of a running Go program through /proc/PID/mem:
 * no probe, no BPF, nothing in the program changes. It needs what ptrace needs
 * (CAP_SYS_PTRACE, or the same user), and of another user's process CAP_DAC_READ_SEARCH: its `mem` is a file of that user's alone.
 *
 * It tells the state at a moment: live heap, goal, GOGC, limit, allocation, the CPU time of the cycle last finished. It cannot tell what
 * happens between two readings: pauses, single assists, cycles that are shorter than the pace. `missingWithoutProbe` names those.
 */
import { type GcGlobals, gcWorkBytes } from '../gobin/index.ts';
import type { SizeClassCounts } from '../model/index.ts';
import { monotonicNs } from './clock.ts';
import { bookDecoder, type ControllerBooks, type HeapNow } from './controller-books.ts';
import { type GcWork, gcWork } from './gc-work.ts';
import { sizeClassCounts } from './heap-stats.ts';
import { type MemoryErrorCode, openMemory } from './process-memory.ts';
import type { Proc, ProcessIdentity } from './types.ts';

/** Signals that only the probe gives, named as windows name them. */
export const missingWithoutProbe = [
  'gcPause',
  'gcStopping',
  'gcPauseByReason',
  'gcAssist',
  'gcStall',
  'capturePause',
  'otherPause',
  'gc.triggers',
  'gc.cycleMaxNs',
  'gc.markMaxNs',
  'kernelMemory',
  'network',
] as const;

export type ControllerReadErrorCode = MemoryErrorCode | 'IMPLAUSIBLE';

/** Why the books of a process cannot be read. */
export class ControllerReadError extends Error {
  override readonly name = 'ControllerReadError';
  readonly code: ControllerReadErrorCode;
  readonly pid: number;

  constructor(code: ControllerReadErrorCode, pid: number, message: string) {
    super(message);
    this.code = code;
    this.pid = pid;
  }
}

/** `runtime.gcCPULimiter`: while it is on, the collector may use no more than half of the processor time, and the heap grows past its goal. */
export interface GcLimiter {
  readonly isOn: boolean;
  /** The cycle in which it was last switched on (`/gc/limiter/last-enabled:gc-cycle`); 0 for none. */
  readonly lastCycle: number;
}

/** One program's books. All reads are synchronous: a pread of a few hundred bytes of memory. */
export interface ControllerReader extends Disposable {
  readonly process: ProcessIdentity;
  /** All fields. Undefined when the program has ended or runs another one since (exec). Throws `ControllerReadError` when implausible. */
  read(): ControllerBooks | undefined;
  /** The three figures that change with each allocation, for series at a fast pace; ends like `read`. */
  readHeap(): HeapNow | undefined;
  /** What was allocated since the program began, per size class; null where the program does not tell where the counts are. */
  readSizeClasses(): SizeClassCounts | null | undefined;
  /**
   * What all cycles cost so far; null where the program does not tell where that lies, or it was being written at this moment. Undefined when
   * the program has ended.
   */
  readWork(): GcWork | null | undefined;
  /** The GC CPU limiter; null where the program does not tell where it is. Undefined when the program has ended. */
  readLimiter(): GcLimiter | null | undefined;
  close(): void;
}

/** What is read into, and how it is understood: one for all processes of a program, since each read is decoded before the next. */
interface Scratch {
  readonly decoder: ReturnType<typeof bookDecoder>;
  readonly books: Buffer;
  readonly stats: Buffer;
  readonly work: Buffer;
  readonly limiter: Buffer;
}

const scratches = new WeakMap<GcGlobals, Scratch>();

function scratchOf(globals: GcGlobals): Scratch {
  const known = scratches.get(globals);
  if (known) return known;
  const { layout, heapStats, limiter } = globals;
  const scratch: Scratch = {
    decoder: bookDecoder(layout),
    books: Buffer.alloc(layout.sizeBytes),
    stats: Buffer.alloc(heapStats?.layout.sizeBytes ?? 0),
    work: Buffer.alloc(gcWorkBytes),
    limiter: Buffer.alloc(limiter ? limiter.layout.lastEnabledCycle + 4 : 0),
  };
  scratches.set(globals, scratch);
  return scratch;
}

/** The runtime writes these times in some nanoseconds, once or twice a cycle. */
const workTries = 3;

/**
 * Opens the books of exactly this process. `globals` are those of its executable (`findGcGlobals`).
 * Throws `ControllerReadError`: `GONE`, `NO_PERMISSION`, `OTHER_PROGRAM` (the globals are of another file), `IMPLAUSIBLE`.
 */
export function openController(proc: Proc, process: ProcessIdentity, globals: GcGlobals): ControllerReader {
  const { pid } = process;
  const request = { process, entryAddress: globals.entryAddress, access: 'read' } as const;
  const memory = openMemory(proc, request, ControllerReadError);
  try {
    const { decoder, books, stats: statsBytes, work, limiter: limiterState } = scratchOf(globals);
    const { heapStats: stats, limiter } = globals;
    const reader: ControllerReader = {
      process,
      read() {
        const atNs = monotonicNs();
        if (!memory.read(books, globals.gcControllerAddress)) return undefined;
        return plausible(pid, decoder.books(books, atNs));
      },
      readHeap() {
        const atNs = monotonicNs();
        if (!memory.read(books, globals.gcControllerAddress)) return undefined;
        return plausible(pid, decoder.heap(books, atNs));
      },
      readSizeClasses() {
        if (stats === null) return null;
        if (!memory.read(statsBytes, stats.address)) return undefined;
        return sizeClassCounts(statsBytes, stats.layout);
      },
      readWork() {
        if (globals.workAddress === null) return null;
        for (let tries = 0; tries < workTries; tries++) {
          if (!memory.read(work, globals.workAddress)) return undefined;
          const decoded = gcWork(work);
          if (typeof decoded !== 'string') return decoded;
        }
        return null;
      },
      readLimiter() {
        if (limiter === null) return null;
        if (!memory.read(limiterState, limiter.address)) return undefined;
        const { enabled, lastEnabledCycle } = limiter.layout;
        return { isOn: limiterState[enabled] !== 0, lastCycle: limiterState.readUInt32LE(lastEnabledCycle) };
      },
      close: memory.close,
      [Symbol.dispose]: memory.close,
    };
    if (reader.read() === undefined) throw new ControllerReadError('GONE', pid, `process ${pid} has ended`);
    return reader;
  } catch (error) {
    memory.close();
    throw error;
  }
}

function plausible<T>(pid: number, decoded: T | string): T {
  if (typeof decoded !== 'string') return decoded;
  throw new ControllerReadError(
    'IMPLAUSIBLE',
    pid,
    `what stands where process ${pid} should have runtime.gcController cannot be it: ${decoded}`,
  );
}
