/** The robot's latency histograms: what came between two readings, several together, a quantile. Pure. */

/** `counts[i]` observations are above the bound before and at most `boundsNs[i]`; the last count has no bound. */
export interface Latencies {
  readonly boundsNs: readonly number[];
  readonly counts: readonly number[];
}

export function latenciesBetween(before: Latencies, after: Latencies): Latencies {
  return { boundsNs: after.boundsNs, counts: after.counts.map((count, i) => count - (before.counts[i] ?? 0)) };
}

export function together(parts: readonly Latencies[]): Latencies {
  const [first] = parts;
  return {
    boundsNs: first?.boundsNs ?? [],
    counts: (first?.counts ?? []).map((_, i) => parts.reduce((sum, { counts }) => sum + (counts[i] ?? 0), 0)),
  };
}

export const countOf = ({ counts }: Latencies): number => counts.reduce((sum, count) => sum + count, 0);

/**
 * The quantile, within its bucket as if the observations lay there evenly on a logarithmic scale: with ten buckets a decade, the bucket's
 * bound alone would move in steps of 26 %. Above the last bound, that bound; NaN of none.
 */
export function latencyQuantileNs(latencies: Latencies, share: number): number {
  const rank = share * countOf(latencies);
  let below = 0;
  for (const [i, count] of latencies.counts.entries()) {
    if (count > 0 && below + count >= rank) return within(latencies.boundsNs, i, (rank - below) / count);
    below += count;
  }
  return Number.NaN;
}

function within(boundsNs: readonly number[], bucket: number, part: number): number {
  const high = boundsNs[bucket] ?? boundsNs.at(-1) ?? Number.NaN;
  const low = boundsNs[bucket - 1] ?? high;
  return low * (high / low) ** part;
}
