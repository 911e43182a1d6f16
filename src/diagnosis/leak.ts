/** Live heap after GC grows and goes on growing, within minutes or over hours, and no growing load explains it. */
import type { CauseCheck, Facts } from './evidence.ts';
import { type Growth, growthOf } from './growth.ts';
import { slowGrowthOf } from './slow-growth.ts';
import { mebibytes, together } from './words.ts';

export const leak: CauseCheck = (facts) => {
  const name = 'live heap after GC';
  const fast = growthOf(facts, name, ({ heapLiveBytes }) => heapLiveBytes);
  const growth = fast ?? slowGrowthOf(facts, name, ({ heapLiveBytes }) => heapLiveBytes);
  if (!growth) return undefined;
  const { slope, tau, relative, evidence } = growth;
  const pace = fast ? `${mebibytes(slope.perSecond * 60)} a minute` : `${mebibytes(slope.perSecond * 3600)} an hour`;
  return {
    cause: 'Leak',
    summary: `Live heap grows by ${pace} and does not level off.`,
    confidence: together([0.5, 0.6 * tau, 0.3 * Math.min(1, relative)]),
    evidence: [...evidence, ...timeLeft(growth, facts)],
    refutedBy:
      'Live heap levels off at a load that stays the same, or the heap profile shows a cache that is bounded and not full yet.',
  };
};

/** For people who decide how soon they have to mend it. */
function timeLeft({ slope: { perSecond }, toBytes }: Growth, { recent }: Facts): string[] {
  const limit = recent.findLast(({ cgroup }) => cgroup)?.cgroup?.memoryLimitBytes;
  if (!limit || limit <= toBytes) return [];
  const minutes = (limit - toBytes) / perSecond / 60;
  const time = minutes < 120 ? `${Math.round(minutes)} min` : `${(minutes / 60).toFixed(1)} h`;
  return [`at this pace the live heap alone fills the memory limit of ${mebibytes(limit)} in ${time}`];
}
