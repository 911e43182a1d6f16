/** Are the latest windows in breach of the thresholds? Pure and without memory; `hysteresis.ts` adds when to ask again. */
import type { SignalName, SignalUnit } from '../api/index.ts';
import type { SignalCheck } from './signal-check.ts';
import { checkOf, isOver, SIGNAL_CHECKS } from './signals.ts';
import type { Thresholds } from './thresholds.ts';
import type { SignalWindow } from './window.ts';

/** Signals older than so many windows are not acted upon. */
export const STALE_AFTER_WINDOWS = 2;

export interface Breach {
  readonly type: 'breach';
  readonly signal: SignalName;
  /** Worst value among the breaching windows, of events their sum, in `unit`. */
  readonly observed: number;
  readonly threshold: number;
  readonly unit: SignalUnit;
  readonly breachingWindows: number;
  /** How many latest windows were looked at. */
  readonly ofWindows: number;
  /** ISO 8601: end of the first breaching window among them. */
  readonly firstBreachAt: string;
}

export type Evaluation = Breach | { readonly type: 'ok' } | { readonly type: 'stale'; readonly reason: string };

/**
 * k-of-n rule per signal: in breach when at least `thresholds.breach.windows` of the latest `thresholds.breach.of` windows are
 * over the limit; of rare events (`summed`), when those of all of them are. Only windows of the newest one's container instance count, and a lost window (gap in `seq`) takes its place
 * among the n without being over; a stop of the world that lasted for several counts for each of them. When several signals are in breach, the most urgent is returned (order of `SIGNAL_CHECKS`).
 *
 * @param windows of one container, oldest first
 * @param now the clock by which windows are judged fresh
 */
export function evaluate(windows: readonly SignalWindow[], thresholds: Thresholds, now: Date): Evaluation {
  const stale = staleness(windows, now);
  if (stale) return { type: 'stale', reason: stale };
  const considered = consideredWindows(windows, thresholds.breach.of);
  for (const check of limitedChecks(thresholds)) {
    const breach = breachOf(check, considered, thresholds);
    if (breach) return breach;
  }
  return ok;
}

const ok: Evaluation = { type: 'ok' };

const limited = new WeakMap<Thresholds, readonly SignalCheck[]>();

/** Of some thirty signals most policies limit a handful, and each window of each container is held against them. */
function limitedChecks(thresholds: Thresholds): readonly SignalCheck[] {
  const known = limited.get(thresholds);
  if (known) return known;
  const checks = SIGNAL_CHECKS.filter((check) => check.threshold(thresholds) !== undefined);
  limited.set(thresholds, checks);
  return checks;
}

/** Whether any signal is over its limit in this window: where none is in any of those considered, there is no breach. */
export function isAnyOver(window: SignalWindow, thresholds: Thresholds): boolean {
  return limitedChecks(thresholds).some((check) => isOver(check, window, limitOf(check, thresholds)));
}

/** Of rare events each counts. */
function limitOf(check: SignalCheck, thresholds: Thresholds): number {
  return check.summed ? 0 : (check.threshold(thresholds) ?? Number.POSITIVE_INFINITY);
}

/** All signals in breach, most urgent first, whatever the windows' age: for diagnosis and verification of recorded windows. */
export function breaches(windows: readonly SignalWindow[], thresholds: Thresholds): Breach[] {
  const considered = consideredWindows(windows, thresholds.breach.of);
  return SIGNAL_CHECKS.flatMap((check) => breachOf(check, considered, thresholds) ?? []);
}

/** One signal's breach at the newest of the windows, if it is in breach there. */
export function breachOfSignal(
  signal: SignalName,
  windows: readonly SignalWindow[],
  thresholds: Thresholds,
): Breach | undefined {
  return breachOf(checkOf(signal), consideredWindows(windows, thresholds.breach.of), thresholds);
}

/** Signals that were in breach at any of the windows, not only at the newest: for recorded stretches of windows. */
export function everBroken(windows: readonly SignalWindow[], thresholds: Thresholds): ReadonlySet<SignalName> {
  const broken = new Set<SignalName>();
  for (let end = 1; end <= windows.length; end++) {
    const upTo = windows.slice(Math.max(0, end - thresholds.breach.of), end);
    for (const breach of breaches(upTo, thresholds)) broken.add(breach.signal);
  }
  return broken;
}

/** The latest `of` sequence numbers of the newest window's container instance; fewer where windows were lost. */
export function consideredWindows(windows: readonly SignalWindow[], of: number): SignalWindow[] {
  const newest = windows.at(-1);
  if (!newest) return [];
  return windows
    .slice(-of)
    .filter(
      (window) => window.containerId === newest.containerId && newest.seq - window.seq < of && window.seq <= newest.seq,
    );
}

function breachOf(check: SignalCheck, considered: readonly SignalWindow[], thresholds: Thresholds): Breach | undefined {
  const limit = check.threshold(thresholds);
  if (limit === undefined) return undefined;
  const over = check.summed
    ? considered.filter((window) => (check.observe(window) ?? 0) > 0)
    : considered.filter((window) => isOver(check, window, limit));
  const first = over[0];
  if (!first) return undefined;
  const values = over.map((window) => check.observe(window) ?? 0);
  const observed = check.summed ? values.reduce((sum, value) => sum + value, 0) : Math.max(...values);
  const spanned = over.reduce((count, window) => count + (check.spans?.(window) ?? 1), 0);
  const breachingWindows = Math.min(spanned, thresholds.breach.of);
  if (check.summed ? observed <= limit : breachingWindows < thresholds.breach.windows) return undefined;
  return {
    type: 'breach',
    signal: check.signal,
    observed,
    threshold: limit,
    unit: check.unit,
    breachingWindows,
    ofWindows: thresholds.breach.of,
    firstBreachAt: first.endedAt,
  };
}

function staleness(windows: readonly SignalWindow[], now: Date): string | undefined {
  const newest = windows.at(-1);
  if (!newest) return 'no window yet';
  const ageMs = now.getTime() - Date.parse(newest.endedAt);
  const limitMs = STALE_AFTER_WINDOWS * newest.durationMs;
  if (ageMs > limitMs) return `newest window ended ${Math.round(ageMs)} ms ago, more than ${limitMs} ms`;
  return undefined;
}
