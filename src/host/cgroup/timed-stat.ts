import type { KeptFile } from '../kept-file.ts';
import type { MemoryStat } from '../types.ts';

/** memory.stat with the time of its reading: it is read less often than the rest, and rates need the true distance. */
export class TimedStat {
  readonly #file: KeptFile<MemoryStat>;
  #atMs = 0;

  constructor(file: KeptFile<MemoryStat>) {
    this.#file = file;
  }

  read(retry: boolean): void {
    this.#file.read(retry);
    this.#atMs = performance.now();
  }

  get value(): MemoryStat | null {
    return this.#file.value;
  }

  get atMs(): number | null {
    return this.#file.value === null ? null : this.#atMs;
  }
}
