/** How often to read, so that the promise of 250 ms is kept while reading stays cheap. Pure. */

/** A breach is known at the next reading. */
const leastPeriodMs = 200;
/** Slower than a tick there is no point. */
const mostPeriodMs = 1000;
/** Of one core. 250 cgroups at 3 µs take 0.4 % at 200 ms. */
const mostShare = 0.005;
/** Weight of the newest round: a single one that was preempted changes little. */
const newest = 0.1;

export interface PollPace {
  /** Moving average of what a round takes. */
  readonly roundMs: number;
  after(roundMs: number): PollPace;
}

function paceOf(roundMs: number): PollPace {
  return { roundMs, after: (latestMs) => paceOf(roundMs + newest * (latestMs - roundMs)) };
}

export const pollPace: PollPace = paceOf(0);

/** 200 ms, or as much longer as the share of a core needs, in steps of 100 ms. */
export function pollPeriodMs({ roundMs }: Pick<PollPace, 'roundMs'>): number {
  const affordableMs = Math.ceil(roundMs / mostShare / 100 - 1e-9) * 100;
  return Math.min(mostPeriodMs, Math.max(leastPeriodMs, affordableMs));
}
