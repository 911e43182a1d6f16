/** How often to read, so that a breach is known within 250 ms while reading stays cheap. Pure. */

/** A breach is known at the next reading; the rest of the 250 ms is for timers that come late on a busy node. */
const mostPerSecond = 8;
/** So often at least, or the promise is broken: a slow processor, or one that others are busy with, makes rounds seem dear. */
const leastPerSecond = 5;
/** Of one core, while the node is under pressure. 250 cgroups at 5 µs are read six times a second for it. */
const mostShare = 0.0075;
/** Of one core, that the promise may cost at most. */
const mostShareForPromise = 0.05;
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

/** While nothing of the node waits for memory it is enough to keep the promise: each reading wakes a process that has nothing else to do. */
export const calmPeriodMs = 1000 / leastPerSecond;

/** A whole number of periods makes a second, the trailing window: then its share is exact. */
export function pollPeriodMs({ roundMs }: Pick<PollPace, 'roundMs'>): number {
  const affordable = (share: number): number => Math.floor((1000 * share) / Math.max(roundMs, 1e-3));
  const promised = Math.min(leastPerSecond, affordable(mostShareForPromise));
  return 1000 / Math.min(mostPerSecond, Math.max(1, promised, affordable(mostShare)));
}
