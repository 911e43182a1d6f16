/** A GOGC outside of a policy's bounds. Pure. */
import type { PolicySpec } from '../api/index.ts';
import { GOGC_OFF } from './gogc-setting.ts';

type Bounds = Pick<PolicySpec['tuning']['gogc'], 'min' | 'max'>;

export function isOutside(gogc: number, { min, max }: Bounds): boolean {
  return gogc < min || gogc > max;
}

/**
 * Whether it is nearer to the bounds than where the program came from, so that a step limit may lead there: from 10 to 20 with a minimum of
 * 25. Off is beyond every maximum.
 */
export function isOnTheWayIn(gogc: number, from: number, { min, max }: Bounds): boolean {
  const start = from === GOGC_OFF ? Number.POSITIVE_INFINITY : from;
  return (gogc < min && gogc > start) || (gogc > max && gogc < start);
}
