/** Bytes that each process allocated in a window, from what its books say at both ends: whether a cycle ended in it or not. Pure. */
import type { HeapNow } from '../../host/index.ts';

/** By pid. */
export type Heaps = ReadonlyMap<number, Pick<HeapNow, 'totalAllocBytes'>>;

export class Allocated {
  #before: Heaps = new Map();

  /** Bytes since the last call, by pid; of those that were read then too. */
  since(heaps: Heaps): ReadonlyMap<number, number> {
    const before = this.#before;
    this.#before = heaps;
    const bytes = new Map<number, number>();
    for (const [pid, { totalAllocBytes }] of heaps) {
      const earlier = before.get(pid);
      if (earlier) bytes.set(pid, Math.max(0, totalAllocBytes - earlier.totalAllocBytes));
    }
    return bytes;
  }
}
