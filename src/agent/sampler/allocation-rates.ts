/** Allocation rate of each process over a window, from what its books say at both ends: its own, whether a cycle ended in it or not. Pure. */
import type { HeapNow } from '../../host/index.ts';

/** By pid. */
export type Heaps = ReadonlyMap<number, Pick<HeapNow, 'atNs' | 'totalAllocBytes'>>;

export class AllocationRates {
  #before: Heaps = new Map();

  /** Bytes per second since the last call, by pid; of those that were read then too. */
  since(heaps: Heaps): ReadonlyMap<number, number> {
    const before = this.#before;
    this.#before = heaps;
    const rates = new Map<number, number>();
    for (const [pid, { atNs, totalAllocBytes }] of heaps) {
      const earlier = before.get(pid);
      if (!earlier || atNs <= earlier.atNs) continue;
      const bytes = Math.max(0, totalAllocBytes - earlier.totalAllocBytes);
      rates.set(pid, (bytes * 1e9) / (atNs - earlier.atNs));
    }
    return rates;
  }
}
