/** The CPU quota stops the program in the midst of collections: stalls last as long as the throttling, and so does all that the program does. */
import type { CauseCheck, Facts } from './evidence.ts';
import { gcEvidence, percent, together } from './words.ts';

const MUCH = 0.25;
/** In every other period and more: nothing in the container is on time then, whatever the collector does. */
const MOSTLY = 0.5;
/** A GOGC so far below what the formula asks for may itself be what uses up the quota. */
const FAR_TOO_LOW = 2;

export const cpuThrottling: CauseCheck = (facts) => {
  const { throttledShare, recent } = facts;
  // The runtime counts a worker's time by the clock on the wall, so throttling lengthens what the collector costs, too.
  const lengthens = (facts.stallsOver || facts.gcOverBudget) && throttledShare >= MUCH;
  if (!lengthens && throttledShare < MOSTLY && !facts.broken.has('throttledShare')) return undefined;
  const cgroup = recent.findLast((window) => window.cgroup)?.cgroup;
  const gomaxprocs = recent.findLast((window) => window.gc)?.gc?.gomaxprocs;
  const limit = cgroup?.cpuLimitCores ?? null;
  const oversubscribed = limit !== null && gomaxprocs !== undefined && gomaxprocs > Math.ceil(limit);
  const ownDoing = mayBeOwnDoing(facts) ? 0.4 : 1;
  return {
    cause: 'CpuThrottling',
    summary: `The CPU limit throttles ${percent(throttledShare)} of all periods${lengthens ? '; collections last longer for it' : ''}.`,
    confidence: together([(0.3 + 0.5 * Math.min(1, throttledShare)) * ownDoing, oversubscribed ? 0.3 : 0]),
    evidence: [
      `${percent(throttledShare)} of the CFS periods throttled over ${recent.length} windows`,
      ...(limit === null ? [] : [`CPU limit ${limit} cores, GOMAXPROCS ${gomaxprocs ?? 'unknown'}`]),
      ...gcEvidence(facts),
    ],
    refutedBy: lengthens
      ? 'Stalls of the same length in windows without throttling.'
      : 'Events that are as late in windows without throttling.',
  };
};

function mayBeOwnDoing({ broken, summary: { gogc }, targetGogc }: Facts): boolean {
  if (!broken.has('gcCpuShare') || gogc === null || gogc < 0 || targetGogc === undefined) return false;
  return targetGogc >= FAR_TOO_LOW * gogc;
}
