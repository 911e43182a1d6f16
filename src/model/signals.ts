/**
 * The signal table: what each guarded signal reads from one window. One entry per signal: detection, verification, status and explanation
 * use the same.
 */
import type { SignalName } from '../api/index.ts';
import { FURTHER_CHECKS, type FurtherCheck } from './further-signals.ts';
import type { Interval } from './sampled-stalls.ts';
import type { SignalCheck } from './signal-check.ts';
import { SLA_CHECKS } from './sla-signals.ts';
import type { Thresholds } from './thresholds.ts';
import { isMissing, type SignalWindow } from './window.ts';

/** A process was killed, memory was refused, the collector gives up: nothing is more urgent. */
const EMERGENCIES: ReadonlySet<SignalName> = new Set<SignalName>(['oomKills', 'allocationFailures', 'gcLimiter']);

const further = FURTHER_CHECKS.map(limited);

/** Most urgent first: when several are in breach at once, the first is reported. */
export const SIGNAL_CHECKS: readonly SignalCheck[] = [
  ...further.filter(({ signal }) => EMERGENCIES.has(signal)),
  ...SLA_CHECKS,
  ...further.filter(({ signal }) => !EMERGENCIES.has(signal)),
];

function limited(check: FurtherCheck): SignalCheck {
  return { ...check, threshold: ({ further }) => further[check.signal] };
}

export type Reading = 'over' | 'within' | 'unknown';

/** What is read of a window is surely above the limit. */
export function isOver(check: SignalCheck, window: SignalWindow, limit: number): boolean {
  const value = check.observe(window);
  return value !== undefined && intervalOf(check, window, value).low > limit;
}

/** A limit is broken above it, not at it; without a limit nothing is. What may lie on either side of it is not known. */
export function readSignal(check: SignalCheck, window: SignalWindow, thresholds: Thresholds): Reading {
  const value = check.observe(window);
  const limit = check.threshold(thresholds);
  if (value === undefined) return 'unknown';
  if (limit !== undefined && isOver(check, window, limit)) return 'over';
  const { high } = intervalOf(check, window, value);
  if (isMissing(window, check.field) || isIncomplete(check, window)) return 'unknown';
  return limit === undefined || (high !== null && high <= limit) ? 'within' : 'unknown';
}

/** A value that is exact is its own interval. */
function intervalOf({ sampled }: SignalCheck, { gcAssistSampling }: SignalWindow, value: number): Interval {
  return sampled && gcAssistSampling ? sampled(gcAssistSampling, value) : { low: value, high: value };
}

/** Something that is not in the window may have happened in it. */
function isIncomplete({ hurtBy }: SignalCheck, { lostEvents }: SignalWindow): boolean {
  return hurtBy === 'lostEvents' && lostEvents > 0;
}

export function checkOf(signal: SignalName): SignalCheck {
  const check = SIGNAL_CHECKS.find((candidate) => candidate.signal === signal);
  if (!check) throw new RangeError(`no check for signal ${signal}`);
  return check;
}
