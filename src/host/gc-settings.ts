/**
 * GOGC and GOMEMLIMIT as words of `runtime.gcController`: what `debug.SetGCPercent` and `debug.SetMemoryLimit` would leave there, in which
 * order to write it, and what the next cycle must make of it. Pure; runtime/mgcpacer.go, the same text in Go 1.22 to 1.26.
 */
import type { GcControllerLayout } from '../gobin/index.ts';
import type { ControllerBooks } from './controller-books.ts';
import type { GcWork } from './gc-work.ts';

export interface GcSettings {
  /** GOGC; −1 is off. */
  readonly gcPercent: number;
  /** GOMEMLIMIT; null: none. */
  readonly memoryLimitBytes: number | null;
}

export const gcPercentOff = -1;
/** The runtime itself takes this one for "huge" (`revise`). With it the goal of a heap of all user space (2^47 bytes) still is below 2^64. */
const mostGcPercent = 100_000;
/** The runtime's least heap: below it there is nothing to collect for. */
const leastLimitBytes = 4 * 1024 * 1024;
/** User space of amd64. */
const mostLimitBytes = 2 ** 47;
const defaultHeapMinimum = 4n << 20n;
const noLimit = 2n ** 63n - 1n;

export function sameSettings(one: GcSettings, other: GcSettings): boolean {
  return one.gcPercent === other.gcPercent && one.memoryLimitBytes === other.memoryLimitBytes;
}

export function inWords({ gcPercent, memoryLimitBytes }: GcSettings): string {
  const gogc = gcPercent === gcPercentOff ? 'off' : gcPercent;
  return `GOGC=${gogc} and ${memoryLimitBytes === null ? 'no GOMEMLIMIT' : `GOMEMLIMIT=${memoryLimitBytes}`}`;
}

/** Why nobody should want these settings, in a sentence; undefined when they are sane. GOGC=0 collects without end, to debug the runtime. */
export function whyInvalid({ gcPercent, memoryLimitBytes }: GcSettings): string | undefined {
  const isPercent = Number.isInteger(gcPercent) && gcPercent >= 1 && gcPercent <= mostGcPercent;
  if (!isPercent && gcPercent !== gcPercentOff)
    return `GOGC=${gcPercent} is no whole number from 1 to ${mostGcPercent}, nor ${gcPercentOff} for off`;
  if (memoryLimitBytes === null) return undefined;
  const isLimit =
    Number.isInteger(memoryLimitBytes) && memoryLimitBytes >= leastLimitBytes && memoryLimitBytes <= mostLimitBytes;
  return isLimit
    ? undefined
    : `GOMEMLIMIT=${memoryLimitBytes} is no whole number of bytes from ${leastLimitBytes} to ${mostLimitBytes}`;
}

/** Those of gcController that hold the settings. */
export type GcWordName = 'heapMinimum' | 'gcPercent' | 'memoryLimit';
/** As bit patterns, unsigned: off and none are the greatest. */
export type GcWords = Readonly<Record<GcWordName, bigint>>;

/** In the order in which they are lowered. */
const wordNames: readonly GcWordName[] = ['heapMinimum', 'gcPercent', 'memoryLimit'];

export function wordsOf({ gcPercent, memoryLimitBytes }: GcSettings): GcWords {
  return {
    heapMinimum: heapMinimumOf(gcPercent),
    gcPercent: BigInt.asUintN(32, BigInt(gcPercent)),
    memoryLimit: memoryLimitBytes === null ? noLimit : BigInt(memoryLimitBytes),
  };
}

/** `setGCPercent`: 4 MiB · GOGC / 100 in unsigned 64 bit, where off (−1) wraps around to 184 PB. */
function heapMinimumOf(gcPercent: number): bigint {
  return BigInt.asUintN(64, defaultHeapMinimum * BigInt.asUintN(64, BigInt(gcPercent))) / 100n;
}

const bytesOf = (layout: GcControllerLayout, name: GcWordName): number =>
  layout.fields[name].type === 'int32' ? 4 : 8;

export function readWords(controller: Buffer, layout: GcControllerLayout): GcWords {
  const word = (name: GcWordName): bigint => {
    const { offset } = layout.fields[name];
    return bytesOf(layout, name) === 4 ? BigInt(controller.readUInt32LE(offset)) : controller.readBigUInt64LE(offset);
  };
  return { heapMinimum: word('heapMinimum'), gcPercent: word('gcPercent'), memoryLimit: word('memoryLimit') };
}

export function sameWords(one: GcWords, other: GcWords): boolean {
  return wordNames.every((name) => one[name] === other[name]);
}

export interface WordWrite {
  readonly name: GcWordName;
  /** In the struct. */
  readonly offset: number;
  readonly bytes: Buffer;
}

/**
 * The words that differ, each to be written by itself. What holds the heap tighter comes first, so that whoever is stopped half-way leaves
 * no bound behind that is looser than both. In particular `heapMinimum` is never above what GOGC stands for: GOGC=100 with the 184 PB of
 * "off" would never collect again.
 */
export function writesBetween(standing: GcWords, wanted: GcWords, layout: GcControllerLayout): WordWrite[] {
  const lowered = wordNames.filter((name) => wanted[name] < standing[name]);
  const raised = wordNames.filter((name) => wanted[name] > standing[name]).reverse();
  return [...lowered, ...raised].map((name) => {
    const bytes = Buffer.alloc(bytesOf(layout, name));
    if (bytes.length === 4) bytes.writeUInt32LE(Number(wanted[name]));
    else bytes.writeBigUInt64LE(wanted[name]);
    return { name, offset: layout.fields[name].offset, bytes };
  });
}

type GoalBase = Pick<ControllerBooks, 'heapMarkedBytes' | 'lastStackScanBytes' | 'globalsScanBytes'>;

/** `commit`: the goal by GOGC after a cycle with this live heap and these roots; null when GOGC is off. As a double, like the books. */
export function committedGoalBytes(books: GoalBase, gcPercent: number): number | null {
  if (gcPercent < 0) return null;
  const live = BigInt(books.heapMarkedBytes);
  const roots = BigInt(books.lastStackScanBytes) + BigInt(books.globalsScanBytes);
  const goal = live + ((live + roots) * BigInt(gcPercent)) / 100n;
  const least = heapMinimumOf(gcPercent);
  return Number(goal < least ? least : goal);
}

/** Cycles that have ended, or undefined in the moments in which one begins or ends and the books are being written. */
export function endedCycles(work: GcWork): number | undefined {
  if (isBetweenCycles(work)) return work.cycles;
  const isMarking = work.markAtNs > work.sweepTerminationAtNs && work.markTerminationAtNs <= work.endAtNs;
  return isMarking ? work.cycles - 1 : undefined;
}

/** The runtime notes the end (`tEnd`) after it has committed the next goal, and a beginning (`tSweepTerm`) before all else. */
export function isBetweenCycles(work: GcWork): boolean {
  return work.endAtNs >= work.sweepTerminationAtNs;
}

/**
 * Why these cannot be the collector's two sets of books, read between two cycles; undefined when each bears the other out:
 * - the latest mark phase began in both at the same nanosecond (`startCycle` is given `work.tSweepTerm`),
 * - the least heap is that of GOGC, or a lower one's where a write was stopped half-way,
 * - the goal that stands is that of some GOGC by this live heap and these roots: of the one in effect, or of one that was when it was set.
 */
export function whyNotTheBooks(books: ControllerBooks, words: GcWords, work: GcWork): string | undefined {
  if (books.markStartNs !== work.sweepTerminationAtNs)
    return `its latest cycle began at ${books.markStartNs} ns by one and at ${work.sweepTerminationAtNs} ns by the other`;
  if (words.heapMinimum > heapMinimumOf(books.gcPercent))
    return `a least heap of ${words.heapMinimum} bytes with GOGC=${books.gcPercent}`;
  const goal = books.gcPercentHeapGoalBytes;
  if (goal !== null && !likelyPercents(books, goal).some((percent) => isGoalOf(books, percent, goal)))
    return `no GOGC makes a goal of ${goal} bytes of a live heap of ${books.heapMarkedBytes} bytes`;
  return undefined;
}

function likelyPercents(books: GoalBase, goalBytes: number): number[] {
  const paced = books.heapMarkedBytes + books.lastStackScanBytes + books.globalsScanBytes;
  const byHeap = ((goalBytes - books.heapMarkedBytes) * 100) / paced;
  const byMinimum = (goalBytes * 100) / Number(defaultHeapMinimum);
  return [byHeap, byMinimum].filter(Number.isFinite).flatMap((percent) => [Math.floor(percent), Math.ceil(percent)]);
}

/** Before the first cycle globals may have been added since: then it is the least heap, however much they are. */
function isGoalOf(books: GoalBase, gcPercent: number, goalBytes: number): boolean {
  if (gcPercent < 1) return false;
  return goalBytes === committedGoalBytes(books, gcPercent) || goalBytes === Number(heapMinimumOf(gcPercent));
}

/** Counters of a running program: they stay or grow. */
const counters = {
  'bytes allocated': ({ books }) => books.totalAllocBytes,
  'bytes freed': ({ books }) => books.totalFreeBytes,
  cycles: ({ work }) => work.cycles,
  'the end of the latest cycle': ({ work }) => work.endAtNs,
  'CPU time of assists': ({ work }) => work.assistNs,
  'CPU time of workers': ({ work }) => work.dedicatedNs,
  'time stopped': ({ work }) => work.pauseNs,
} as const satisfies Record<string, (seen: { readonly books: ControllerBooks; readonly work: GcWork }) => number>;

/** What fell from one look to a later one, in words; undefined when nothing did. */
export function whatFell(
  before: { readonly books: ControllerBooks; readonly work: GcWork },
  after: { readonly books: ControllerBooks; readonly work: GcWork },
): string | undefined {
  const fallen = Object.entries(counters).find(([, of]) => of(after) < of(before));
  return fallen && `${fallen[0]} fell from ${fallen[1](before)} to ${fallen[1](after)}`;
}
