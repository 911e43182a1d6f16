/** The program waits for pages from the disk: its binary or a mapped file was evicted, or its memory was swapped out. */
import type { SignalWindow } from '../model/index.ts';
import { coincidence } from './coincidence.ts';
import type { CauseCheck } from './evidence.ts';
import { gcEvidence, mebibytes, percent, together } from './words.ts';

/** Fewer a second are what any program has now and then. */
const NOTABLE = 10;

export const pageFaults: CauseCheck = (facts) => {
  const tells = facts.recent.filter((window) => faults(window) !== undefined);
  const faulting = tells.filter(hasMany);
  const { stalled, share, lift, explains } = coincidence(facts, tells, hasMany);
  const overLimit = facts.broken.has('majorFaultRate');
  if (!overLimit && !explains) return undefined;
  const worst = Math.max(...tells.map((window) => faults(window) ?? 0));
  const swapped = facts.recent.findLast((window) => window.cgroup)?.cgroup?.swapBytes ?? 0;
  // A collector over its CPU budget is slow without any help.
  const ownDoing = facts.broken.has('gcCpuShare') ? 0.6 : 1;
  return {
    cause: 'PageFaults',
    summary: `The program waits for up to ${Math.round(worst)} pages a second to be read from the disk.`,
    confidence: together([overLimit ? 0.5 : 0, explains ? 0.6 * lift * ownDoing : 0, swapped > 0 ? 0.2 : 0]),
    evidence: [
      `${NOTABLE} major page faults a second and more in ${faulting.length} of ${tells.length} windows, up to ${Math.round(worst)}`,
      ...(stalled > 0 ? [`in ${percent(share)} of the ${stalled} windows with a stall over its limit`] : []),
      ...(swapped > 0 ? [`${mebibytes(swapped)} swapped out`] : []),
      ...gcEvidence(facts),
    ],
    refutedBy: 'Stalls of the same length in windows without major page faults.',
  };
};

function faults({ cgroup }: SignalWindow): number | undefined {
  return cgroup?.reclaim?.majorFaultsPerSecond ?? undefined;
}

function hasMany(window: SignalWindow): boolean {
  return (faults(window) ?? 0) >= NOTABLE;
}
