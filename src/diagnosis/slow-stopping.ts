/**
 * The world takes long to stop: a goroutine runs in a loop that cannot be interrupted, or sits in a page fault, or its thread gets no
 * CPU. Not the collector's work, so no setting of it helps.
 */
import { windowsStoodStill } from '../model/index.ts';
import type { CauseCheck, Facts } from './evidence.ts';
import { stalledWindows } from './stalled.ts';
import { gcEvidence, milliseconds, percent, together } from './words.ts';

const MIN_WINDOWS = 2;
/** Stopping is at least this part of the pause, and of the limit. */
const DOMINATES = 0.5;
/** Of the windows that stalled, those in which it does. */
const MOSTLY = 0.5;

export const slowStopping: CauseCheck = (facts) => {
  const known = facts.recent.flatMap(({ gcStopping, gcPause }) => (gcStopping ? [{ gcStopping, gcPause }] : []));
  const { limitNs, stalled } = stalledWindows(facts);
  const explained = stalled.filter(
    ({ gcStopping, gcPause }) => gcStopping && gcStopping.maxNs >= DOMINATES * Math.max(limitNs, gcPause.maxNs),
  );
  const share = stalled.length === 0 ? 0 : explained.length / stalled.length;
  const spanned = explained.reduce((count, window) => count + windowsStoodStill(window), 0);
  if (spanned < MIN_WINDOWS || share < MOSTLY) return undefined;
  const stoppingNs = known.reduce((sum, { gcStopping }) => sum + gcStopping.sumNs, 0);
  const pausedNs = known.reduce((sum, { gcPause }) => sum + gcPause.sumNs, 0);
  const part = pausedNs > 0 ? Math.min(1, stoppingNs / pausedNs) : 0;
  // A collector over its CPU budget is slow without any help, and may itself be what keeps the threads from running.
  const ownDoing = facts.broken.has('gcCpuShare') && worksTooMuchBesides(facts) ? 0.6 : 1;
  return {
    cause: 'SlowStopping',
    summary: `The world takes up to ${milliseconds(Math.max(...explained.map(({ gcStopping }) => gcStopping?.maxNs ?? 0)))} to stop before the collector begins its work.`,
    confidence: together([0.7 * share * ownDoing, 0.3 * part * ownDoing]),
    evidence: [
      `in ${explained.length} of the ${stalled.length} windows with a stall over ${milliseconds(limitNs)}, stopping was half of the longest pause or more`,
      `stopping is ${percent(part)} of all pause time, ${known.reduce((sum, { gcPause }) => sum + gcPause.count, 0)} pauses`,
      ...(facts.throttledShare > 0 ? [`${percent(facts.throttledShare)} of the CFS periods throttled`] : []),
      ...gcEvidence(facts),
    ],
    refutedBy: 'An execution trace in which no goroutine runs for long before the world has stopped.',
  };
};

/** The runtime charges a pause to the collector on all processors, however long it took to begin: that is none of its work. */
function worksTooMuchBesides({ recent, summary, evidence }: Facts): boolean {
  const pausedNs = recent.reduce((sum, { gcPause }) => sum + gcPause.sumNs, 0);
  const lengthNs = recent.reduce((sum, { durationMs }) => sum + durationMs * 1e6, 0);
  return summary.gcCpuShare - pausedNs / lengthNs > evidence.thresholds.gcCpuShare;
}
