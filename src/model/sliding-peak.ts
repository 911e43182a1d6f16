/** The largest value of the last hours, whatever stretch of them is asked for. Pure. */

const BUCKET_MS = 60_000;

/**
 * Keeps of each minute the largest, and of those only what no later one exceeds: the values fall from the oldest to the newest, so the first one
 * within a stretch is the peak of it.
 */
export class SlidingPeak {
  readonly #keptMs: number;
  readonly #peaks: { readonly minute: number; readonly value: number }[] = [];

  constructor(keptMs: number) {
    this.#keptMs = keptMs;
  }

  /** In order of time. */
  push(atMs: number, value: number): void {
    const minute = Math.floor(atMs / BUCKET_MS);
    while ((this.#peaks.at(-1)?.value ?? Number.POSITIVE_INFINITY) <= value) this.#peaks.pop();
    // A smaller one of the same minute changes nothing that is asked for by the minute.
    if (this.#peaks.at(-1)?.minute !== minute) this.#peaks.push({ minute, value });
    const oldest = minute - this.#keptMs / BUCKET_MS;
    while ((this.#peaks[0]?.minute ?? minute) < oldest) this.#peaks.shift();
  }

  /** Of the minutes from that moment on, its own included; undefined: none was seen. */
  since(fromMs: number): number | undefined {
    const from = Math.floor(fromMs / BUCKET_MS);
    return this.#peaks.find(({ minute }) => minute >= from)?.value;
  }
}
