/** Bytes that each process allocated in a window, from what its books say at both ends: whether a cycle ended in it or not. Pure. */
import type { HeapNow } from '../../host/index.ts';

/** By pid. */
export type Heaps = ReadonlyMap<number, Pick<HeapNow, 'totalAllocBytes'>>;

export class Allocated {
  #before: Heaps = new Map();
  #now: Heaps = new Map();

  /** A window ends with these. */
  take(heaps: Heaps): void {
    this.#before = this.#now;
    this.#now = heaps;
  }

  /** Bytes of that window; undefined of a process that was not read at both its ends. */
  of(pid: number): number | undefined {
    const now = this.#now.get(pid);
    const before = this.#before.get(pid);
    return now && before && Math.max(0, now.totalAllocBytes - before.totalAllocBytes);
  }
}
