/** Live heap after GC grows and goes on growing, and no growing number of robots explains it. */
import type { CauseCheck } from './evidence.ts';
import { growthOf } from './growth.ts';
import { mebibytes, together } from './words.ts';

export const leak: CauseCheck = (facts) => {
  const growth = growthOf(facts, 'live heap after GC', ({ heapLiveBytes }) => heapLiveBytes);
  if (!growth) return undefined;
  return {
    cause: 'Leak',
    summary: `Live heap grows by ${mebibytes(growth.slope.perSecond * 60)} a minute and does not level off.`,
    confidence: together([0.5, 0.6 * growth.tau, 0.3 * Math.min(1, growth.relative)]),
    evidence: [...growth.evidence],
    refutedBy: 'Live heap levels off at a load that stays the same.',
  };
};
