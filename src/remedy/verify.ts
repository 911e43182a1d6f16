/** Did the remedy help? The same signals, over stretches of equal length. Inconclusive is not success. */
import type { PolicySpec, SignalName, Verification } from '../api/index.ts';
import {
  checkOf,
  deriveThresholds,
  everBroken,
  isMissing,
  median,
  quantity,
  type SignalCheck,
  type SignalWindow,
  timeWeightedMean,
} from '../model/index.ts';
import { onNodeAsFree, underLikeLoad, whyNotComparable } from './comparable.ts';
import { mannWhitneyLower } from './mann-whitney.ts';

/** One-sided level at which a difference counts as real. */
const SIGNIFICANT = 0.05;

export interface JudgeInput {
  /** Windows before the action, oldest first, of the container in breach. */
  readonly before: readonly SignalWindow[];
  /** Fresh windows under the new setting, oldest first; warm-up already left out. */
  readonly after: readonly SignalWindow[];
  readonly policy: PolicySpec;
  /** The one that triggered the incident. */
  readonly signal: SignalName;
}

export interface Judgement {
  readonly verdict: NonNullable<Verification['verdict']>;
  readonly reason: string;
  /** Significantly lower, though not under its threshold: a further step the same way may be right where the first was limited. */
  readonly progress: boolean;
  /** Inconclusive so far, and fresher windows may say more: too few could be compared, or it only broke its rule for a while. */
  readonly laterMayTell: boolean;
}

/**
 * Better = the signal did not breach in the stretch after, its overall value is under the threshold, it is significantly lower than
 * before (median and Mann–Whitney U), and no other guarded signal is newly in breach.
 */
export function judge({ before, after, policy, signal }: JudgeInput): Judgement {
  const free = onNodeAsFree({ before, after });
  const { reason, ...judged } = judgeFree({
    before: underLikeLoad({ before, after: free }),
    after: free,
    policy,
    signal,
  });
  const crowded = after.length - free.length;
  const left = crowded === 0 ? '' : ` ${crowded} windows after do not count: tasks of the node waited for a processor.`;
  const laterMayTell = judged.verdict === 'Inconclusive' && (judged.laterMayTell || free.length < before.length);
  return { ...judged, reason: `${reason}${left}`, laterMayTell };
}

function judgeFree({ before: allBefore, after: allAfter, policy, signal }: JudgeInput): Judgement {
  const settled = { progress: false, laterMayTell: false };
  const length = Math.min(allBefore.length, allAfter.length);
  const before = allBefore.slice(allBefore.length - length);
  const after = allAfter.slice(allAfter.length - length);
  const doubt = whyNotComparable({ before: allBefore, after: allAfter }) ?? whyNotObserved(signal, before, after);
  if (doubt !== undefined) return { verdict: 'Inconclusive', reason: doubt, ...settled };

  const thresholds = deriveThresholds(policy);
  const check = checkOf(signal);
  const limit = check.threshold(thresholds);
  if (limit === undefined) {
    return { verdict: 'Inconclusive', reason: `The policy sets no limit for ${signal} any more.`, ...settled };
  }
  const difference = compare(check, before, after);
  const brokenAfter = everBroken(after, thresholds);
  const progress = difference.lower;
  const newly = [...brokenAfter].filter((other) => other !== signal && !everBroken(before, thresholds).has(other));
  if (newly.length > 0) {
    return { verdict: 'NotBetter', reason: `${newly.join(', ')} newly over the limit.`, ...settled };
  }
  const whole = overall(check, after);
  const wholeText = `${quantity(whole, check.unit)} over the whole stretch`;
  const itsLimit = `its limit of ${quantity(limit, check.unit)}`;
  if (brokenAfter.has(signal) && progress && whole <= limit) {
    const { windows, of } = thresholds.breach;
    const yet = `yet for a while ${windows} of ${of} windows were over it`;
    const reason = `${signal} is lower than before and under ${itsLimit}, ${wholeText}, ${yet}: ${difference.text}.`;
    return { verdict: 'Inconclusive', reason, progress, laterMayTell: true };
  }
  if (brokenAfter.has(signal) || whole > limit) {
    const state = progress ? 'is lower than before, yet still over' : 'is still over';
    const reason = `${signal} ${state} ${itsLimit}, ${wholeText}: ${difference.text}.`;
    return { verdict: 'NotBetter', reason, progress, laterMayTell: false };
  }
  if (!difference.lower) {
    const reason = `${signal} is under its limit, but not significantly lower than before: ${difference.text}.`;
    return { verdict: 'Inconclusive', reason, ...settled };
  }
  return {
    verdict: 'Better',
    reason: `${signal} is under its limit: ${difference.text}.`,
    progress,
    laterMayTell: false,
  };
}

/** Zeros of windows in which nobody looked are no health. */
function whyNotObserved(signal: SignalName, ...stretches: (readonly SignalWindow[])[]): string | undefined {
  const windows = stretches.flat();
  const { field } = checkOf(signal);
  const blind = windows.filter((window) => isMissing(window, field)).length;
  return blind === 0 ? undefined : `${signal} was not observed in ${blind} of ${windows.length} windows.`;
}

function compare(check: SignalCheck, before: readonly SignalWindow[], after: readonly SignalWindow[]) {
  const [was, is] = [observed(check, before), observed(check, after)];
  const { pLower } = mannWhitneyLower(is, was);
  const [from, to] = [median(was), median(is)];
  // Of what is zero most of the time the median tells nothing; how much there is of it does.
  const isLess = to < from || (to === from && mean(is) < mean(was));
  const lower = isLess && pLower < SIGNIFICANT;
  const p = pLower < 0.001 ? 'p < 0.001' : `p = ${pLower.toFixed(3)}`;
  const text = `median of ${is.length} windows ${quantity(from, check.unit)} → ${quantity(to, check.unit)}, ${p}`;
  return { lower, text };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Without a cycle under watch, a window without pauses or losses used no GC CPU: that is a value, not a gap. */
function observed(check: SignalCheck, windows: readonly SignalWindow[]): number[] {
  return windows.flatMap((window) => {
    const value = check.observe(window);
    if (value !== undefined) return [value];
    const quiet = window.gcStall.count === 0 && window.lostEvents === 0 && !isMissing(window, 'gc');
    return check.signal === 'gcCpuShare' && quiet ? [0] : [];
  });
}

/** The whole stretch as one number. */
function overall({ observe, overall }: SignalCheck, windows: readonly SignalWindow[]): number {
  return overall?.(windows) ?? timeWeightedMean(windows, observe);
}
