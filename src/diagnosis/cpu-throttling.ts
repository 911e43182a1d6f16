/** The CPU quota stops the program in the midst of collections: stalls last as long as the throttling. */
import type { CauseCheck } from './evidence.ts';
import { gcEvidence, percent, together } from './words.ts';

const MUCH = 0.25;

export const cpuThrottling: CauseCheck = (facts) => {
  const { throttledShare, recent } = facts;
  const lengthensStalls = facts.stallsOver && throttledShare >= MUCH;
  if (!lengthensStalls && !facts.broken.has('throttledShare')) return undefined;
  const cgroup = recent.findLast((window) => window.cgroup)?.cgroup;
  const gomaxprocs = recent.findLast((window) => window.gc)?.gc?.gomaxprocs;
  const limit = cgroup?.cpuLimitCores ?? null;
  const oversubscribed = limit !== null && gomaxprocs !== undefined && gomaxprocs > Math.ceil(limit);
  // A collector over its CPU budget may itself be what uses up the quota.
  const ownDoing = facts.broken.has('gcCpuShare') ? 0.6 : 1;
  return {
    cause: 'CpuThrottling',
    summary: `The CPU limit throttles ${percent(throttledShare)} of all periods${lengthensStalls ? '; collections last longer for it' : ''}.`,
    confidence: together([(0.3 + 0.5 * Math.min(1, throttledShare)) * ownDoing, oversubscribed ? 0.3 : 0]),
    evidence: [
      `${percent(throttledShare)} of the CFS periods throttled over ${recent.length} windows`,
      ...(limit === null ? [] : [`CPU limit ${limit} cores, GOMAXPROCS ${gomaxprocs ?? 'unknown'}`]),
      ...gcEvidence(facts),
    ],
    refutedBy: 'Stalls of the same length in windows without throttling.',
  };
};
