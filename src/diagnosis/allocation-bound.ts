/** GC is over its budget although GOGC is where formula, bounds and memory want it: not ours to tune away. */
import { allocationRate } from '../model/index.ts';
import type { CauseCheck } from './evidence.ts';
import { gcEvidence, mebibytes, together } from './words.ts';

export const allocationBound: CauseCheck = (facts) => {
  const { summary, targetGogc: target } = facts;
  if (!facts.gcOverBudget || summary.gogc === null || target === undefined) return undefined;
  if (summary.gogc >= 0 && target >= summary.gogc * 1.1) return undefined;
  const rate = allocationRate(facts.recent) ?? 0;
  return {
    cause: 'AllocationBound',
    summary: `GC is over its budget with GOGC ${summary.gogc < 0 ? 'off' : summary.gogc} already at what formula, bounds and memory allow (${target}).`,
    confidence: together([0.4, 0.2 * (1 - facts.limitDrivenShare)]),
    evidence: [...gcEvidence(facts), `${mebibytes(rate)} allocated a second`],
    refutedBy: 'The allocation profile shows no hotspot, or a wider bound for GOGC brings the signals back.',
  };
};
