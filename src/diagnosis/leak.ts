/** Live heap after GC grows and goes on growing, within minutes or over hours, and no growing load explains it. */
import type { CauseCheck, Facts } from './evidence.ts';
import { growthOf } from './growth.ts';
import { slowGrowthOf } from './slow-growth.ts';
import { timeLeft } from './time-left.ts';
import { mebibytes, together } from './words.ts';

export const leak: CauseCheck = (facts) => {
  const name = 'live heap after GC';
  const fast = growthOf(facts, name, ({ heapLiveBytes }) => heapLiveBytes);
  const growth = fast ?? slowGrowthOf(facts.evidence.heapHistory ?? [], name, ({ heapLiveBytes }) => heapLiveBytes);
  if (!growth) return undefined;
  const { slope, tau, relative, evidence } = growth;
  const pace = fast ? `${mebibytes(slope.perSecond * 60)} a minute` : `${mebibytes(slope.perSecond * 3600)} an hour`;
  return {
    cause: 'Leak',
    summary: `Live heap grows by ${pace} and does not level off.`,
    confidence: together([0.5, 0.6 * tau, 0.3 * Math.min(1, relative)]),
    evidence: [...evidence, ...timeLeft(growth, limitIn(facts))],
    refutedBy:
      'Live heap levels off at a load that stays the same, or the heap profile shows a cache that is bounded and not full yet.',
  };
};

function limitIn({ recent }: Facts): number | null {
  return recent.findLast(({ cgroup }) => cgroup)?.cgroup?.memoryLimitBytes ?? null;
}
