/**
 * Writes GOGC and GOMEMLIMIT of a running, unmodified Go program into its `runtime.gcController` through /proc/PID/mem, as
 * `debug.SetGCPercent` and `debug.SetMemoryLimit` would, and tells whether its next cycle took them up. Any doubt beforehand is a refusal.
 *
 * Two or three aligned words are written, never anything else (docs/decisions/0014-live-writes.md). What else may happen meanwhile:
 * - A cycle begins or ends between the words. It commits its goal by the old, the new, or the tighter of both (`writesBetween`). The cycles
 *   are counted after the write, so that only a later one is asked for the effect, and that one has seen all words.
 * - The kernel copies a word byte by byte (nothing promises otherwise; on amd64 it is one store). A reader in those nanoseconds takes bytes
 *   of both values. The runtime computes with GOGC only while a cycle is under way, which is not then; no mixture is an error to it: a limit
 *   stays positive, a GOGC is a number or off, and the next read has the new value. `effectOf` sees a goal that is not the computed one.
 * - The program itself calls SetGCPercent or SetMemoryLimit. Later: its value stands, and `effectOf` and the next `write` say so. In the
 *   microseconds between our look and our words: one of the two values stands, as after two callers within the program, or the least heap of
 *   one beside the GOGC of the other. It is NOT_KEPT when another word is read back, or when the goal moved though no cycle ended, as only
 *   SetGCPercent can. What leaves no trace is a SetMemoryLimit overwritten at once: then our limit stands.
 * - The program ends or runs another (exec): memory once opened ends with it, nothing is written to its successor.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type GcGlobals, gcWorkBytes } from '../gobin/index.ts';
import { monotonicNs } from './clock.ts';
import { type BookDecoder, bookDecoder, type ControllerBooks } from './controller-books.ts';
import {
  committedGoalBytes,
  endedCycles,
  type GcSettings,
  type GcWords,
  gcPercentOff,
  inWords,
  isBetweenCycles,
  readWords,
  sameSettings,
  sameWords,
  whatFell,
  whyInvalid,
  whyNotTheBooks,
  wordsOf,
  writesBetween,
} from './gc-settings.ts';
import { type GcWork, gcWork } from './gc-work.ts';
import { openMemory, type ProcessMemory } from './process-memory.ts';
import type { Proc, ProcessIdentity } from './types.ts';

export type GcWriteErrorCode =
  | 'GONE'
  | 'NO_PERMISSION'
  | 'OTHER_PROGRAM'
  | 'IMPLAUSIBLE'
  | 'UNEXPECTED'
  | 'BUSY'
  | 'NOT_KEPT'
  | 'INVALID';

/** Why the settings of a process cannot be written, or what became of it. With all codes but `GONE` and `NOT_KEPT` nothing was written. */
export class GcWriteError extends Error {
  override readonly name = 'GcWriteError';
  readonly code: GcWriteErrorCode;
  readonly pid: number;

  constructor(code: GcWriteErrorCode, pid: number, message: string) {
    super(message);
    this.code = code;
    this.pid = pid;
  }
}

export interface WrittenSettings {
  readonly before: GcSettings;
  readonly after: GcSettings;
  /** Cycles that had ended by then. */
  readonly cycles: number;
  /** CLOCK_MONOTONIC. */
  readonly atNs: number;
}

export interface GcWriteOptions {
  readonly signal: AbortSignal;
  /** Default 2 s. */
  readonly timeoutMs?: number;
}

export type GcEffect = 'pending' | 'confirmed' | 'notConfirmed' | 'gone';

export interface GcWriter extends Disposable {
  /** What is in effect for the next cycle, with the books it was read from; undefined when the program has ended or runs another. */
  read(): { readonly settings: GcSettings; readonly books: ControllerBooks } | undefined;
  /**
   * Writes what differs, between two cycles (waits for that up to `timeoutMs`, else BUSY), and reads it back (NOT_KEPT when another value
   * stands there). `expected`: what the caller believes to be in effect, from the environment or the last cycle that the probe saw; where
   * anything else stands nothing is written (UNEXPECTED).
   */
  write(change: Partial<GcSettings>, expected: GcSettings, options: GcWriteOptions): Promise<WrittenSettings>;
  /**
   * Whether a cycle since then took it up: its heap goal by GOGC is the one computed from its own live heap and roots. A memory limit is in
   * effect at once. A program whose GOGC was off and that has no limit may not collect for minutes, or never: it stays `pending`.
   */
  effectOf(written: WrittenSettings): GcEffect;
}

const defaultTimeoutMs = 2_000;
const pollMs = 1;
/** Between the first look and the one before a write: a busy program's counters move many times. */
const leastApartNs = 10_000_000;
/** The runtime writes its times in some nanoseconds, once or twice a cycle. */
const lookTries = 3;
/** A toolchain built with this experiment computes another least heap; `go version` names it behind `X:`. */
const otherHeapMinimum = /heapminimum512kib/i;

interface Look {
  readonly books: ControllerBooks;
  readonly words: GcWords;
  readonly work: GcWork;
}

/** @throws GcWriteError */
export function openGcWriter(proc: Proc, process: ProcessIdentity, globals: GcGlobals): GcWriter {
  const { pid } = process;
  const { workAddress } = globals;
  if (workAddress === null) {
    const what = `neither a symbol nor the code of process ${pid} tells where runtime.work lies`;
    throw new GcWriteError('IMPLAUSIBLE', pid, `${what}: nothing tells when it is between two cycles`);
  }
  if (otherHeapMinimum.test(globals.goVersion)) {
    throw new GcWriteError(
      'IMPLAUSIBLE',
      pid,
      `process ${pid} is of ${globals.goVersion}, with a least heap of its own`,
    );
  }
  const request = { process, entryAddress: globals.entryAddress, access: 'readWrite' } as const;
  const memory = openMemory(proc, request, GcWriteError);
  try {
    return new MemoryGcWriter(pid, memory, { ...globals, workAddress });
  } catch (error) {
    memory.close();
    throw error;
  }
}

class MemoryGcWriter implements GcWriter {
  readonly #pid: number;
  readonly #memory: ProcessMemory;
  readonly #globals: GcGlobals & { readonly workAddress: number };
  readonly #decoder: BookDecoder;
  readonly #controller: Buffer;
  readonly #work = Buffer.alloc(gcWorkBytes);
  readonly #first: Look;

  constructor(pid: number, memory: ProcessMemory, globals: GcGlobals & { readonly workAddress: number }) {
    this.#pid = pid;
    this.#memory = memory;
    this.#globals = globals;
    this.#decoder = bookDecoder(globals.layout);
    this.#controller = Buffer.alloc(globals.layout.sizeBytes);
    this.#first = this.#look() ?? this.#gone();
  }

  read() {
    const books = this.#books();
    return books && { settings: settingsOf(books), books };
  }

  async write(change: Partial<GcSettings>, expected: GcSettings, options: GcWriteOptions): Promise<WrittenSettings> {
    const { signal, timeoutMs = defaultTimeoutMs } = options;
    const wanted = { ...expected, ...change };
    const invalid = whyInvalid(wanted) ?? whyInvalid(expected);
    if (invalid !== undefined) throw this.#error('INVALID', invalid);
    const deadlineNs = monotonicNs() + timeoutMs * 1e6;
    for (;;) {
      signal.throwIfAborted();
      const look = this.#look() ?? this.#gone();
      const refusal = this.#whyNotYet(look) ?? this.#whyNot(look, expected) ?? this.#whyUnbounded(look, wanted);
      // From here to the last word nothing waits.
      if (refusal === undefined) return this.#store(look, wanted);
      if (refusal.code !== 'BUSY' || monotonicNs() > deadlineNs) throw refusal;
      await sleep(pollMs, undefined, { signal });
    }
  }

  effectOf({ before, after, cycles }: WrittenSettings): GcEffect {
    const earlier = this.#look();
    const look = this.#look();
    if (earlier === undefined || look === undefined) return 'gone';
    if (!sameSettings(settingsOf(look.books), after)) return 'notConfirmed';
    if (before.gcPercent === after.gcPercent) return 'confirmed';
    const ended = endedCycles(look.work);
    // Two equal looks: the books between them are those of one cycle.
    if (ended === undefined || ended <= cycles || ended !== endedCycles(earlier.work)) return 'pending';
    const goal = committedGoalBytes(earlier.books, after.gcPercent);
    return earlier.books.gcPercentHeapGoalBytes === goal ? 'confirmed' : 'notConfirmed';
  }

  [Symbol.dispose](): void {
    this.#memory.close();
  }

  #whyNotYet({ books, work }: Look): GcWriteError | undefined {
    if (!isBetweenCycles(work)) return this.#error('BUSY', `process ${this.#pid} was in no pause between two cycles`);
    if (books.atNs - this.#first.books.atNs < leastApartNs)
      return this.#error('BUSY', `process ${this.#pid} has not been looked at for long enough`);
    return undefined;
  }

  #whyNot(look: Look, expected: GcSettings): GcWriteError | undefined {
    const { books, words, work } = look;
    const doubt = whyNotTheBooks(books, words, work) ?? whatFell(this.#first, look);
    // One that begins or sets its own just now is no lie: it looks different at the next look.
    if (doubt !== undefined) {
      const now = this.#look() ?? this.#gone();
      const isMoving = now.work.sweepTerminationAtNs !== work.sweepTerminationAtNs || !sameWords(now.words, words);
      return isMoving ? this.#error('BUSY', doubt) : this.#implausible(doubt);
    }
    const settings = settingsOf(books);
    if (sameSettings(settings, expected)) return undefined;
    return this.#error(
      'UNEXPECTED',
      `process ${this.#pid} has ${inWords(settings)}, not ${inWords(expected)}: the program or somebody else has set it`,
    );
  }

  /** Until a cycle ends, the goal of GOGC=off is none, whatever GOGC stands: without its limit the heap would grow for minutes. */
  #whyUnbounded({ books }: Look, wanted: GcSettings): GcWriteError | undefined {
    if (books.memoryLimitBytes === null || wanted.memoryLimitBytes !== null) return undefined;
    if (books.gcPercentHeapGoalBytes !== null || wanted.gcPercent === gcPercentOff) return undefined;
    const message = `only GOMEMLIMIT bounds the heap of process ${this.#pid} until a cycle has taken up a GOGC: set that first`;
    return this.#error('BUSY', message);
  }

  #store({ books, words, work }: Look, wanted: GcSettings): WrittenSettings {
    const { layout, gcControllerAddress } = this.#globals;
    const wantedWords = wordsOf(wanted);
    const writes = writesBetween(words, wantedWords, layout);
    for (const { offset, bytes } of writes) if (!this.#memory.write(bytes, gcControllerAddress + offset)) this.#gone();
    const after = this.#readBack() ?? this.#gone();
    const message = `process ${this.#pid} set its own just when ${inWords(wanted)} was written: it has ${inWords(settingsOf(after.books))}`;
    if (!sameWords(after.words, wantedWords)) throw this.#error('NOT_KEPT', message);
    const isOfTheSameCycle = isBetweenCycles(after.work) && after.work.cycles === work.cycles;
    if (isOfTheSameCycle && after.books.gcPercentHeapGoalBytes !== books.gcPercentHeapGoalBytes)
      throw this.#error('NOT_KEPT', message);
    return {
      before: settingsOf(books),
      after: wanted,
      // One that began meanwhile may have set its goal before: it is not asked either.
      cycles: after.work.cycles,
      atNs: after.books.atNs,
    };
  }

  #readBack(): Look | undefined {
    try {
      return this.#look();
    } catch (error) {
      throw this.#error(
        'NOT_KEPT',
        `what was written could not be read back: ${error instanceof Error ? error.message : error}`,
      );
    }
  }

  /** Both books, and the words as they lie there. Undefined when the program has ended or runs another. */
  #look(): Look | undefined {
    let problem = '';
    for (let tries = 0; tries < lookTries; tries++) {
      if (!this.#memory.read(this.#work, this.#globals.workAddress)) return undefined;
      const work = gcWork(this.#work);
      const books = this.#books();
      if (books === undefined) return undefined;
      if (typeof work !== 'string') return { work, books, words: readWords(this.#controller, this.#globals.layout) };
      problem = work;
    }
    throw this.#implausible(problem);
  }

  #books(): ControllerBooks | undefined {
    const atNs = monotonicNs();
    if (!this.#memory.read(this.#controller, this.#globals.gcControllerAddress)) return undefined;
    const books = this.#decoder.books(this.#controller, atNs);
    if (typeof books === 'string') throw this.#implausible(books);
    return books;
  }

  #implausible(why: string): GcWriteError {
    const where = `what stands where process ${this.#pid} should have its collector's books cannot be them`;
    return this.#error('IMPLAUSIBLE', `${where}: ${why}`);
  }

  #error(code: GcWriteErrorCode, message: string): GcWriteError {
    return new GcWriteError(code, this.#pid, message);
  }

  #gone(): never {
    throw this.#error('GONE', `process ${this.#pid} has ended or runs another program`);
  }
}

function settingsOf({ gcPercent, memoryLimitBytes }: ControllerBooks): GcSettings {
  return { gcPercent, memoryLimitBytes };
}
