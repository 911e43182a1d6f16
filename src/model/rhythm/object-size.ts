import type { SizeClassCounts } from './series.ts';

/** From here on an object is a copy of a state, a journal or a frame buffer rather than a part of a message. */
const coarseBytes = 4096;

export interface ObjectSizes {
  /** Share of the bytes that were allocated in objects of 4 KiB and more, 0 to 1. */
  readonly coarseShare: number;
  /** Mean size of the object that a byte was allocated in: Σ size² ÷ Σ size. */
  readonly meanBytes: number;
}

/** Undefined when nothing was allocated. */
export function objectSizes({ classes, largeBytes, largeObjects }: SizeClassCounts): ObjectSizes | undefined {
  let bytes = largeBytes;
  let coarse = largeBytes;
  let squares = largeObjects > 0 ? largeBytes * (largeBytes / largeObjects) : 0;
  for (const { sizeBytes, objects } of classes) {
    bytes += sizeBytes * objects;
    squares += sizeBytes * sizeBytes * objects;
    if (sizeBytes >= coarseBytes) coarse += sizeBytes * objects;
  }
  return bytes > 0 ? { coarseShare: coarse / bytes, meanBytes: squares / bytes } : undefined;
}
