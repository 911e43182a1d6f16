/**
 * From "in breach at this moment" to "a breach begins": one event per breach, not one per second.
 *
 * A signal fires when k of the last n windows are over its limit (`evaluate`). It is then latched: it does not fire again until
 * it is re-armed, which takes evidence of health: among the last n windows fewer than half of k may be over the limit or unknown
 * (lost window, lost events, nothing observed). With k = 3, n = 5: at most one of five. Of summed events those of the n windows must be
 * within the limit again, and as few windows unknown. A signal that the policy no longer judges is re-armed.
 *
 * One window holds few stalls, so its P99 is mostly its maximum. That is wanted: a stall above the limit breaks the promise for
 * every event it meets, however many short stalls stand beside it. The k-of-n rule, not a minimum of samples, guards against a
 * single outlier: at the rate of over-limit stalls that the SLA tolerates (180.9 per hour at 200 ms), three of five windows hold one
 * by chance in about 1 of 900 cases.
 */
import type { SignalName } from '../api/index.ts';
import { type Breach, breaches, breachOfSignal, consideredWindows, type Evaluation, evaluate } from './evaluate.ts';
import { checkOf, readSignal, SIGNAL_CHECKS } from './signals.ts';
import type { Thresholds } from './thresholds.ts';
import type { SignalWindow } from './window.ts';

/** Signals that fired and are not re-armed, each with the time at which it fired (ISO 8601). Plain data: may be kept and replayed. */
export type Latch = Readonly<Partial<Record<SignalName, string>>>;

export interface Step {
  readonly latch: Latch;
  /** As `evaluate` says it, but a breach only when it begins; the most urgent when several begin at once (all are latched). */
  readonly evaluation: Evaluation;
}

/** Takes the newest window into account. Call once per window; stale signals neither fire nor re-arm. */
export function advance(latch: Latch, windows: readonly SignalWindow[], thresholds: Thresholds, now: Date): Step {
  const evaluation = evaluate(windows, thresholds, now);
  if (evaluation.type === 'stale') return { latch, evaluation };
  const next: Partial<Record<SignalName, string>> = {};
  for (const [signal, since] of entries(latch)) {
    if (!rearmed(signal, windows, thresholds)) next[signal] = since;
  }
  const begun: Breach[] = breaches(windows, thresholds).filter((breach) => latch[breach.signal] === undefined);
  for (const breach of begun) next[breach.signal] = now.toISOString();
  return { latch: next, evaluation: begun[0] ?? { type: 'ok' } };
}

/** Enough windows are known to be healthy for the signal to fire anew. */
export function rearmed(signal: SignalName, windows: readonly SignalWindow[], thresholds: Thresholds): boolean {
  const { windows: needed, of } = thresholds.breach;
  const check = checkOf(signal);
  if (check.threshold(thresholds) === undefined) return true;
  if (check.summed && breachOfSignal(signal, windows, thresholds)) return false;
  const healthy = consideredWindows(windows, of).filter((window) => {
    const reading = readSignal(check, window, thresholds);
    return check.summed ? reading !== 'unknown' : reading === 'within';
  }).length;
  return of - healthy < needed / 2;
}

/** By the table, so that no signal is left out. */
function entries(latch: Latch): [SignalName, string][] {
  return SIGNAL_CHECKS.flatMap(({ signal }) => {
    const since = latch[signal];
    return since === undefined ? [] : [[signal, since] as [SignalName, string]];
  });
}
