/** The kernel's CLOCK_MONOTONIC (as `bpf_ktime_get_ns` and Go's nanotime), ns since boot. Exact to 1 ns for the first 104 days of uptime, 2 ns after. */
export function monotonicNs(): number {
  return Number(process.hrtime.bigint());
}
