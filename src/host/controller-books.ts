/** Bytes of `runtime.gcController` to figures, and the bounds that tell whether the bytes can be it. Pure. */
import type { GcControllerFieldName, GcControllerLayout } from '../gobin/index.ts';
import { type HeapGoal, heapGoalOf } from './heap-goal.ts';

/** `runtime.gcController` at a moment; the same names and units as the probe's cycle events. */
export interface ControllerBooks extends HeapGoal {
  /** CLOCK_MONOTONIC just before the read. */
  readonly atNs: number;
  /** GOGC; −1 is off. */
  readonly gcPercent: number;
  /** GOMEMLIMIT; null when there is none. */
  readonly memoryLimitBytes: number | null;
  readonly heapMinimumBytes: number;
  /** The goal by GOGC alone; null when GOGC is off. */
  readonly gcPercentHeapGoalBytes: number | null;
  /** Not 0 while sweeping that is behind holds the next cycle back. */
  readonly sweepDistMinTriggerBytes: number;
  /** Heap size at which the cycle under way or the last one began; null when none has begun yet. */
  readonly triggeredBytes: number | null;
  readonly lastHeapGoalBytes: number;
  /** Live heap of the last cycle plus all spans handed out since. */
  readonly heapLiveBytes: number;
  /** Live heap of the last cycle: `/gc/heap/live:bytes`. */
  readonly heapMarkedBytes: number;
  readonly lastStackScanBytes: number;
  readonly globalsScanBytes: number;
  /** CPU time of the cycle under way or the last one. */
  readonly assistNs: number;
  readonly dedicatedNs: number;
  readonly fractionalNs: number;
  readonly idleNs: number;
  /** When the latest mark phase began, CLOCK_MONOTONIC; 0 before the first. */
  readonly markStartNs: number;
  readonly totalAllocBytes: number;
  readonly totalFreeBytes: number;
  readonly mappedReadyBytes: number;
  readonly heapInUseBytes: number;
  readonly heapReleasedBytes: number;
  readonly heapFreeBytes: number;
}

export type HeapNow = Pick<ControllerBooks, 'atNs' | 'totalAllocBytes' | 'heapLiveBytes' | 'heapMarkedBytes'>;

/** User space of amd64 ends here: no size of a heap is beyond it. */
const mostHeapBytes = 2 ** 47;
/** Bytes allocated over a program's life; beyond it numbers are no longer exact (9 PB). */
const mostTotalBytes = Number.MAX_SAFE_INTEGER;
const unsetUint64 = 2n ** 64n - 1n;
const noLimit = 2n ** 63n - 1n;

export interface BookDecoder {
  /** The figures, or a sentence why these bytes cannot be a gcController. */
  books(bytes: Buffer, atNs: number): ControllerBooks | string;
  heap(bytes: Buffer, atNs: number): HeapNow | string;
}

export function bookDecoder({ fields }: GcControllerLayout): BookDecoder {
  const word = (bytes: Buffer, name: GcControllerFieldName): bigint => {
    const { offset, type } = fields[name];
    if (type === 'int32') return BigInt(bytes.readInt32LE(offset));
    return type === 'int64' ? bytes.readBigInt64LE(offset) : bytes.readBigUInt64LE(offset);
  };
  // In two halves: a heap is read each second of each program, and a bigint is an object.
  const figure = (bytes: Buffer, name: GcControllerFieldName): number => {
    const { offset, type } = fields[name];
    if (type === 'int32') return bytes.readInt32LE(offset);
    const high = type === 'int64' ? bytes.readInt32LE(offset + 4) : bytes.readUInt32LE(offset + 4);
    return high * 2 ** 32 + bytes.readUInt32LE(offset);
  };
  const orNull = (bytes: Buffer, name: GcControllerFieldName, none: bigint): number | null => {
    const value = word(bytes, name);
    return value === none ? null : Number(value);
  };
  const heapOf = (bytes: Buffer, atNs: number): HeapNow => ({
    atNs,
    totalAllocBytes: figure(bytes, 'totalAlloc'),
    heapLiveBytes: figure(bytes, 'heapLive'),
    heapMarkedBytes: figure(bytes, 'heapMarked'),
  });
  return {
    heap(bytes, atNs) {
      const heap = heapOf(bytes, atNs);
      return whyNotHeap(heap) ?? heap;
    },
    books(bytes, atNs) {
      const figures: Omit<ControllerBooks, keyof HeapGoal> = {
        ...heapOf(bytes, atNs),
        gcPercent: figure(bytes, 'gcPercent'),
        memoryLimitBytes: orNull(bytes, 'memoryLimit', noLimit),
        heapMinimumBytes: figure(bytes, 'heapMinimum'),
        gcPercentHeapGoalBytes: orNull(bytes, 'gcPercentHeapGoal', unsetUint64),
        sweepDistMinTriggerBytes: figure(bytes, 'sweepDistMinTrigger'),
        triggeredBytes: orNull(bytes, 'triggered', unsetUint64),
        lastHeapGoalBytes: figure(bytes, 'lastHeapGoal'),
        lastStackScanBytes: figure(bytes, 'lastStackScan'),
        globalsScanBytes: figure(bytes, 'globalsScan'),
        assistNs: figure(bytes, 'assistTime'),
        dedicatedNs: figure(bytes, 'dedicatedMarkTime'),
        fractionalNs: figure(bytes, 'fractionalMarkTime'),
        idleNs: figure(bytes, 'idleMarkTime'),
        markStartNs: figure(bytes, 'markStartTime'),
        totalFreeBytes: figure(bytes, 'totalFree'),
        mappedReadyBytes: figure(bytes, 'mappedReady'),
        heapInUseBytes: figure(bytes, 'heapInUse'),
        heapReleasedBytes: figure(bytes, 'heapReleased'),
        heapFreeBytes: figure(bytes, 'heapFree'),
      };
      const books: ControllerBooks = { ...figures, ...heapGoalOf(figures) };
      return whyNotHeap(books) ?? whyNotBooks(books) ?? books;
    },
  };
}

function whyNotHeap(heap: HeapNow): string | undefined {
  if (heap.heapLiveBytes > mostHeapBytes || heap.heapMarkedBytes > mostHeapBytes)
    return `a heap of ${heap.heapLiveBytes} bytes`;
  if (heap.totalAllocBytes > mostTotalBytes) return `${heap.totalAllocBytes} bytes allocated in all`;
  return undefined;
}

function whyNotBooks(books: ControllerBooks): string | undefined {
  if (books.gcPercent < -1) return `GOGC=${books.gcPercent}`;
  if (books.memoryLimitBytes !== null && books.memoryLimitBytes < 0)
    return `a limit of ${books.memoryLimitBytes} bytes`;
  const { heapInUseBytes, heapFreeBytes, mappedReadyBytes } = books;
  if (mappedReadyBytes === 0 || Math.max(heapInUseBytes, heapFreeBytes, mappedReadyBytes) > mostHeapBytes)
    return `${mappedReadyBytes} bytes mapped, ${heapInUseBytes} of them in use`;
  const timesNs = [books.assistNs, books.dedicatedNs, books.fractionalNs, books.idleNs, books.markStartNs];
  if (timesNs.some((ns) => ns < 0)) return 'a time below zero';
  if (books.markStartNs > books.atNs + 1e9) return 'a cycle that begins in the future';
  return undefined;
}
