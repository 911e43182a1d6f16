/**
 * The share of the trailing window in which tasks stalled, from readings of a PSI `total` that come more often than windows end: a breach is
 * known at the first reading after it began, not at the end of the second. Pure.
 *
 * The share over [t − W, t] needs `total` at t − W, which lies between two readings: taken on the line between them, as the kernel does for
 * its own triggers (kernel/sched/psi.c, window_update). The error in stalled time is at most the distance to the nearer reading, and none
 * when readings are W ÷ k apart.
 */

/** One reading of a `total`; times and totals in ns, the former on a monotonic clock. */
export interface StallReading {
  readonly atNs: number;
  readonly totalNs: number;
}

export class TrailingStall {
  readonly windowNs: number;
  /** Oldest first; the first is at or before the trailing window's start once that many are known. */
  readonly #readings: StallReading[] = [];

  constructor(windowNs: number) {
    this.windowNs = windowNs;
  }

  /**
   * Share (0 to 1) of the window that ends at this reading. Until a whole window is known, what was seen of it is held against the whole: never
   * more than the truth. A total that fell (another cgroup), or a time that did not move on, begins anew.
   */
  share(reading: StallReading): number {
    const last = this.#readings.at(-1);
    if (last && (reading.totalNs < last.totalNs || reading.atNs <= last.atNs)) this.#readings.length = 0;
    this.#readings.push(reading);
    const startNs = reading.atNs - this.windowNs;
    while ((this.#readings[1]?.atNs ?? Number.POSITIVE_INFINITY) <= startNs) this.#readings.shift();
    return Math.min(1, (reading.totalNs - totalAt(this.#readings, startNs)) / this.windowNs);
  }
}

/** `total` at that time, between the first two readings; before the first, the first's. */
function totalAt(readings: readonly StallReading[], atNs: number): number {
  const [first, second] = readings;
  if (!first) return 0;
  if (!second || atNs <= first.atNs) return first.totalNs;
  const passed = (atNs - first.atNs) / (second.atNs - first.atNs);
  return first.totalNs + passed * (second.totalNs - first.totalNs);
}
