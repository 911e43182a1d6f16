/** What the classification is made from: a few seconds of one process's allocation, read every few milliseconds. */

/** One reading of the allocator's running total. */
export interface AllocationSample {
  /** Any monotonic clock, ns. */
  readonly atNs: number;
  /** Bytes allocated since the program began. It moves in spans (8 KiB and up): memory is counted when a span is replaced. */
  readonly totalAllocBytes: number;
}

/** Objects allocated, by size. */
export interface SizeClassCounts {
  /** Up to 32 KiB. */
  readonly classes: readonly { readonly sizeBytes: number; readonly objects: number }[];
  /** Above 32 KiB. */
  readonly largeBytes: number;
  readonly largeObjects: number;
}

export interface AllocationSeries {
  /** In order of time. */
  readonly samples: readonly AllocationSample[];
  /** What was allocated between the first and the last sample; null where the program does not tell. */
  readonly allocated: SizeClassCounts | null;
}

/** What was allocated between two readings of the counts. */
export function allocatedBetween(before: SizeClassCounts, after: SizeClassCounts): SizeClassCounts {
  return {
    classes: after.classes.map(({ sizeBytes, objects }, index) => ({
      sizeBytes,
      objects: Math.max(0, objects - (before.classes[index]?.objects ?? 0)),
    })),
    largeBytes: Math.max(0, after.largeBytes - before.largeBytes),
    largeObjects: Math.max(0, after.largeObjects - before.largeObjects),
  };
}
