/** How long steps took, over many runs. Pure. */
import { median, quantile } from './statistics.ts';

/** How long something took, over all runs. */
export interface Span {
  readonly what: string;
  readonly medianMs: number;
  readonly p90Ms: number;
  readonly maxMs: number;
}

/** What was measured in each run, in milliseconds, by name. */
export type Times = Readonly<Record<string, number>>;

/** One for each name. */
export function spansOf(what: string, times: readonly Times[]): Span[] {
  return Object.keys(times[0] ?? {}).map((until) => {
    const allMs = times.map((each) => each[until] ?? Number.NaN);
    return {
      what: `${what}, until ${until}`,
      medianMs: median(allMs),
      p90Ms: quantile(allMs, 0.9),
      maxMs: Math.max(...allMs),
    };
  });
}
