/**
 * Stops everything when many workloads breach or revert together: such a storm is the platform's, and chasing it makes it worse. Pure, and
 * derived from events that stand in the API, so that a restarted operator knows what the one before it knew.
 */

export interface FleetEvent {
  readonly type: 'breached' | 'rolledBack';
  /** Unique in the fleet: `namespace/workload`. */
  readonly workload: string;
  readonly atMs: number;
}

export interface BreakerLimits {
  readonly windowMs: number;
  /** So many workloads within the window open it. */
  readonly breached: number;
  readonly rolledBack: number;
}

export type Breaker = { readonly type: 'closed' } | OpenBreaker;

export interface OpenBreaker {
  readonly type: 'open';
  readonly because: FleetEvent['type'];
  readonly workloads: number;
  readonly limit: number;
  readonly windowMs: number;
  /** Of the last event that opened it, or kept it open. */
  readonly atMs: number;
  /** One window after that. */
  readonly untilMs: number;
}

export const DEFAULT_BREAKER: BreakerLimits = { windowMs: 10 * 60_000, breached: 10, rolledBack: 3 };

/**
 * Open from the event with which the limit is reached until a whole window has passed since the last such event.
 *
 * @param events in any order; those of the future (a node's clock that is ahead) count once their time has come
 */
export function circuitBreaker(events: readonly FleetEvent[], limits: BreakerLimits, nowMs: number): Breaker {
  const states = (['rolledBack', 'breached'] as const).flatMap((type) => lastTrip(events, type, limits, nowMs) ?? []);
  return states.toSorted((a, b) => b.untilMs - a.untilMs)[0] ?? { type: 'closed' };
}

/** What is further back than two windows cannot matter: an opening lasts one, and looks back one. */
function lastTrip(
  events: readonly FleetEvent[],
  type: FleetEvent['type'],
  { windowMs, ...limits }: BreakerLimits,
  nowMs: number,
): OpenBreaker | undefined {
  const limit = limits[type];
  const ofType = events.filter((e) => e.type === type && e.atMs <= nowMs && e.atMs > nowMs - 2 * windowMs);
  const newestFirst = ofType.toSorted((a, b) => b.atMs - a.atMs);
  for (const { atMs } of newestFirst) {
    if (atMs + windowMs <= nowMs) return undefined;
    const within = ofType.filter((e) => e.atMs <= atMs && e.atMs > atMs - windowMs);
    const workloads = new Set(within.map(({ workload }) => workload)).size;
    if (workloads >= limit) {
      return { type: 'open', because: type, workloads, limit, windowMs, atMs, untilMs: atMs + windowMs };
    }
  }
  return undefined;
}

/** For a guardrail, a condition and an Event: the same words everywhere. */
export function describeBreaker({ because, workloads, limit, windowMs, untilMs }: OpenBreaker): string {
  const what = because === 'breached' ? 'breached' : 'were rolled back';
  const until = new Date(untilMs).toISOString();
  return `${workloads} workloads ${what} within ${windowMs / 1000} s, the limit is ${limit}; nothing is changed anywhere until ${until}`;
}
