/** The collector kept to its budgets and memory is at ease: what was slow waited for something else. */
import type { CauseCheck } from './evidence.ts';
import { gcEvidence } from './words.ts';

const ENOUGH_WINDOWS = 10;

export const notGc: CauseCheck = (facts) => {
  if (facts.recent.length === 0 || facts.broken.size > 0) return undefined;
  const lost = facts.recent.some((window) => window.lostEvents > 0);
  return {
    cause: 'NotGc',
    summary: 'Garbage collection and memory kept to their budgets.',
    confidence: lost || facts.recent.length < ENOUGH_WINDOWS ? 0.4 : 0.8,
    evidence: [...gcEvidence(facts), ...(lost ? ['probe events were lost: pauses may be missing'] : [])],
    refutedBy: 'Slow events that overlap GC pauses or assist stalls in the execution trace.',
  };
};
