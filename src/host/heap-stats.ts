/** Bytes of `runtime.memstats.heapStats` to counts per size class. Pure. */
import type { HeapStatsLayout } from '../gobin/index.ts';
import type { SizeClassCounts } from '../model/index.ts';

const deltas = 3;

/**
 * What was allocated since the program began. The counts rise when a span's cache is refilled, so they lag by at most one span per size
 * class and processor. Sums are taken modulo 2^64, as the runtime takes them.
 */
export function sizeClassCounts(bytes: Buffer, layout: HeapStatsLayout): SizeClassCounts {
  const sum = (offset: number): number => {
    let total = 0n;
    for (let delta = 0; delta < deltas; delta++) total += bytes.readBigUInt64LE(delta * layout.deltaBytes + offset);
    return Number(BigInt.asUintN(64, total));
  };
  return {
    classes: layout.classSizes.map((sizeBytes, index) => ({
      sizeBytes,
      objects: sum(layout.smallAllocCount + 8 * index),
    })),
    largeBytes: sum(layout.largeAlloc),
    largeObjects: sum(layout.largeAllocCount),
  };
}
