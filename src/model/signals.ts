/**
 * The signal table: what each guarded signal reads from one window. One entry per signal: detection, verification, status and explanation
 * use the same.
 */
import type { SignalName } from '../api/index.ts';
import { FURTHER_CHECKS, type FurtherCheck } from './further-signals.ts';
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

/** A limit is broken above it, not at it; without a limit nothing is. */
export function readSignal(check: SignalCheck, window: SignalWindow, thresholds: Thresholds): Reading {
  const value = check.observe(window);
  const limit = check.threshold(thresholds);
  if (value === undefined) return 'unknown';
  if (limit !== undefined && value > limit) return 'over';
  return isMissing(window, check.field) || isIncomplete(check, window) ? 'unknown' : 'within';
}

/** Something that is not in the window may have happened in it: events were lost, or no assist was looked at. */
function isIncomplete({ hurtBy }: SignalCheck, { lostEvents, gcAssistSampling }: SignalWindow): boolean {
  if (hurtBy === 'nothing') return false;
  return lostEvents > 0 || (hurtBy === 'lostEventsAndUnseenAssists' && gcAssistSampling?.observedShare === 0);
}

export function checkOf(signal: SignalName): SignalCheck {
  const check = SIGNAL_CHECKS.find((candidate) => candidate.signal === signal);
  if (!check) throw new RangeError(`no check for signal ${signal}`);
  return check;
}
