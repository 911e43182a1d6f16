/**
 * `runtime.memstats.heapStats` (runtime/mstats.go): the allocator's own counts per size class, from which the mean size of what a program
 * allocates follows. It is a ring of three `heapStatsDelta`; their sum is the total, whichever of them is written to at the moment.
 */
export interface HeapStatsLayout {
  /** Which Go this layout was read from. */
  readonly source: string;
  /** Bytes of the ring: one read of this many has everything. */
  readonly sizeBytes: number;
  /** Bytes of one of the three deltas. */
  readonly deltaBytes: number;
  /** Offsets in a delta of 64-bit counters: bytes and number of objects above 32 KiB, then one count per size class. */
  readonly largeAlloc: number;
  readonly largeAllocCount: number;
  readonly smallAllocCount: number;
  /** Object size of each size class, bytes; class 0 is unused. */
  readonly classSizes: readonly number[];
}

const deltas = 3;
const wordBytes = 8;

/** `class_to_size` (runtime/sizeclasses.go), since Go 1.25 `SizeClassToSize` (internal/runtime/gc): one table for 1.22 to 1.26. */
const classSizes: readonly number[] = [
  0, 8, 16, 24, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256, 288, 320, 352, 384, 416, 448, 480,
  512, 576, 640, 704, 768, 896, 1024, 1152, 1280, 1408, 1536, 1792, 2048, 2304, 2688, 3072, 3200, 3456, 4096, 4864,
  5376, 6144, 6528, 6784, 6912, 8192, 9472, 9728, 10240, 10880, 12288, 13568, 14336, 16384, 18432, 19072, 20480, 21760,
  24576, 27264, 28672, 32768,
];

/** `inPtrScalarBits` stood before the allocator's counts until Go 1.24. */
const withoutScalarBitsSinceMinor = 25;

/** The layout for Go 1.`minor`, 22 to 26; undefined when this version has not been looked at. */
export function heapStatsLayoutFor(minor: number): HeapStatsLayout | undefined {
  if (!Number.isInteger(minor) || minor < 22 || minor > 26) return undefined;
  const before = minor >= withoutScalarBitsSinceMinor ? 6 : 7;
  const largeAlloc = before * wordBytes;
  const smallAllocCount = largeAlloc + 2 * wordBytes;
  const deltaBytes = smallAllocCount + (2 * classSizes.length + 2) * wordBytes;
  return {
    source: `runtime/mstats.go of go1.${minor}`,
    sizeBytes: deltas * deltaBytes,
    deltaBytes,
    largeAlloc,
    largeAllocCount: largeAlloc + wordBytes,
    smallAllocCount,
    classSizes,
  };
}
