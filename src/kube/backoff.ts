/** Exponential back-off with jitter. Pure: the chance comes in as a number from 0 up to, not including, 1. */
export interface BackoffPolicy {
  readonly baseMs: number;
  readonly maxMs: number;
  /** The largest share of the delay that chance may take away, 0 to 1. */
  readonly jitter: number;
}

/**
 * Delay before try number `failures + 1`: `min(maxMs, baseMs·2^(failures−1))`, less up to `jitter` of it by chance.
 * Zero failures mean no delay.
 */
export function backoffMs(policy: BackoffPolicy, failures: number, chance: number): number {
  if (failures <= 0) return 0;
  const full = Math.min(policy.maxMs, policy.baseMs * 2 ** Math.min(failures - 1, 52));
  return full * (1 - policy.jitter * chance);
}
