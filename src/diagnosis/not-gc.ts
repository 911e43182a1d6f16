/** The collector kept to its budgets and memory is at ease: what was slow waited for something else. */
import type { CauseCheck } from './evidence.ts';
import { slowNetwork } from './network.ts';
import { gcEvidence } from './words.ts';

const ENOUGH_WINDOWS = 10;

export const notGc: CauseCheck = (facts) => {
  if (facts.recent.length === 0 || facts.broken.size > 0) return undefined;
  const lost = facts.recent.some((window) => window.lostEvents > 0);
  const network = slowNetwork(facts.recent, facts.evidence.thresholds.network);
  const doubtful = lost || facts.recent.length < ENOUGH_WINDOWS;
  return {
    cause: 'NotGc',
    summary: `Garbage collection and memory kept to their budgets${network.length > 0 ? '; the program waited for the network' : ''}.`,
    confidence: doubtful ? 0.4 : network.length > 0 ? 0.9 : 0.8,
    evidence: [...network, ...gcEvidence(facts), ...(lost ? ['probe events were lost: pauses may be missing'] : [])],
    refutedBy: 'Slow events that overlap GC pauses or assist stalls in the execution trace.',
  };
};
