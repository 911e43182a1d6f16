/** The kernel's CLOCK_MONOTONIC (as `bpf_ktime_get_ns` and Go's nanotime), ns since boot. Exact to 1 ns for the first 104 days of uptime, 2 ns after. */
export function monotonicNs(): number {
  return Number(process.hrtime.bigint());
}

/** One instant on both clocks. */
export interface ClockJoin {
  readonly monotonicNs: number;
  /** Unix time, ms with fraction. */
  readonly wallMs: number;
  /** The two were read within this long of each other. */
  readonly uncertaintyNs: number;
}

const longestWaitNs = 3e6;

/**
 * Reads both clocks at the same instant. Node's wall clock counts whole milliseconds: so this waits, busy, for its next tick (1 ms at
 * most), where it is exact. Take a new join every minute or so: wall time is stepped and slewed.
 */
export function clockJoin(): ClockJoin {
  const start = monotonicNs();
  const first = Date.now();
  let before = start;
  for (;;) {
    const now = Date.now();
    const after = monotonicNs();
    if (now !== first) return { monotonicNs: (before + after) / 2, wallMs: now, uncertaintyNs: after - before };
    // A wall clock that stands still (being slewed hard): the truth within a millisecond must do.
    if (after - start > longestWaitNs) return { monotonicNs: after, wallMs: now, uncertaintyNs: longestWaitNs };
    before = after;
  }
}

/** Wall time of a monotonic instant, ms. */
export function wallMs(join: ClockJoin, atMonotonicNs: number): number {
  return join.wallMs + (atMonotonicNs - join.monotonicNs) / 1e6;
}
