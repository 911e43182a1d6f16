/** Memory that the heap holds of the kernel: it grows at once, and goes back slowly. */
import * as c from './constants.ts';

export const inSpans = (bytes: number): number => bytes * (1 + c.FRAGMENTATION);

export class Resident {
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** @param goalBytes of GOGC; null: it is off @param goMemLimitBytes null: none */
  scavenge(heapLiveBytes: number, goalBytes: number | null, goMemLimitBytes: number | null, seconds: number): void {
    const inUse = inSpans(heapLiveBytes);
    const grown = Math.max(this.#bytes, inUse);
    const kept = Math.max(inUse, c.RETAINED * (goalBytes ?? grown));
    const slowly = grown > kept ? Math.max(kept, grown - c.SCAVENGED_BYTES_PER_SECOND * seconds) : grown;
    const most = (goMemLimitBytes ?? Number.POSITIVE_INFINITY) - c.RUNTIME_BYTES;
    this.#bytes = Math.max(inUse, Math.min(slowly, most));
  }
}
