/** How many heap emergencies an availability promise leaves room for. */

/**
 * Assumed cost of one heap emergency (OOM kill, GC CPU limiter, limit-driven cycle storm): the process restarts, warms up and its
 * sessions reconnect. 86.4 s is a thousandth of a day; with it, 99.95 % leaves room for one emergency per 48 hours.
 */
export const EMERGENCY_COST_SECONDS = 86.4;

/** At most `count` heap emergencies in any `perHours` hours. */
export interface HeapEmergencyBudget {
  readonly count: number;
  readonly perHours: number;
}

const HOURS_OF_A_YEAR = 8760;

/**
 * `perHours = cost ÷ (1 − availability)`: the shortest span whose allowed downtime pays for one emergency.
 * A promise that a year's allowed downtime cannot pay for leaves no emergency at all.
 *
 * @param availability ratio, 0 to 1
 */
export function heapEmergencyBudget(availability: number): HeapEmergencyBudget {
  const perHours = EMERGENCY_COST_SECONDS / 3600 / (1 - availability);
  if (!(perHours <= HOURS_OF_A_YEAR)) return { count: 0, perHours: HOURS_OF_A_YEAR };
  return { count: 1, perHours: Number(perHours.toPrecision(6)) };
}
