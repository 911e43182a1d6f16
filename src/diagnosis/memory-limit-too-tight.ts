/** The container needs more memory than it may have: reclaim stalls it, or the limit drives the collector. */
import { oomKills } from '../model/index.ts';
import type { CauseCheck, Facts } from './evidence.ts';
import { gcEvidence, mebibytes, percent, together } from './words.ts';

const NEAR_LIMIT = 0.85;
const MIN_CYCLES = 3;
const MOSTLY_LIMIT_DRIVEN = 0.5;
/** Live heap beyond this share of GOMEMLIMIT leaves GOGC no room to work with. */
const LIVE_HEAP_OF_GOMEMLIMIT = 0.6;

interface Ground {
  readonly weight: number;
  readonly evidence: string;
  /** Enough by itself; the others only support. */
  readonly decisive: boolean;
}

export const memoryLimitTooTight: CauseCheck = (facts) => {
  const grounds = [pressureNearLimit(facts), limitDriven(facts), killed(facts), noRoom(facts), limiter(facts)].filter(
    (ground) => ground !== undefined,
  );
  if (!grounds.some((ground) => ground.decisive)) return undefined;
  const limit = facts.recent.findLast((window) => window.cgroup)?.cgroup?.memoryLimitBytes;
  return {
    cause: 'MemoryLimitTooTight',
    summary: `The container works at its memory limit${limit ? ` of ${mebibytes(limit)}` : ''}.`,
    confidence: together(grounds.map((ground) => ground.weight)),
    evidence: [...grounds.map((ground) => ground.evidence), ...gcEvidence(facts)],
    refutedBy: 'Pressure and limit-driven cycles stay the same under a larger limit.',
    remedy: 'Raise the memory limit, then GOMEMLIMIT with it.',
  };
};

/** High pressure far from the limit is something else, such as a neighbour on the node. */
function pressureNearLimit({ recent, memoryOver }: Facts): Ground | undefined {
  if (!memoryOver) return undefined;
  const near = recent.filter(
    ({ cgroup }) => cgroup?.memoryLimitBytes && cgroup.memoryCurrentBytes >= NEAR_LIMIT * cgroup.memoryLimitBytes,
  );
  if (near.length < 2) return undefined;
  const worst = Math.max(...recent.map((window) => window.cgroup?.memoryPressure?.some ?? 0));
  const evidence = `memory pressure up to ${percent(worst)} of a window, use at ${percent(NEAR_LIMIT)} of the limit or more in ${near.length} of ${recent.length} windows`;
  return { weight: 0.65, evidence, decisive: true };
}

function limitDriven({ recent, limitDrivenShare }: Facts): Ground | undefined {
  const cycles = recent.reduce((total, window) => total + (window.gc?.cycles ?? 0), 0);
  if (cycles < MIN_CYCLES || limitDrivenShare < MOSTLY_LIMIT_DRIVEN) return undefined;
  const evidence = `GOMEMLIMIT, not GOGC, triggered ${percent(limitDrivenShare)} of ${cycles} cycles`;
  return { weight: 0.7, evidence, decisive: true };
}

function killed({ recent }: Facts): Ground | undefined {
  const kills = recent.reduce((total, window) => total + (oomKills(window) ?? 0), 0);
  return kills > 0 ? { weight: 0.8, evidence: `${kills} OOM kills`, decisive: true } : undefined;
}

/** It gives the heap more than its goal where the collector would take half of the CPU: seldom without a limit to keep to. */
function limiter({ recent }: Facts): Ground | undefined {
  const on = recent.filter((window) => window.gc?.limiterOn === true).length;
  if (on === 0) return undefined;
  const evidence = `the runtime's GC CPU limiter was on in ${on} of ${recent.length} windows`;
  return { weight: 0.3, evidence, decisive: false };
}

function noRoom({ recent, gcOverBudget, broken }: Facts): Ground | undefined {
  const gc = recent.findLast((window) => window.gc !== null)?.gc;
  if (!(gcOverBudget || broken.has('liveHeapShareOfLimit')) || !gc?.goMemLimitBytes) return undefined;
  const share = gc.heapLiveBytes / gc.goMemLimitBytes;
  if (share < LIVE_HEAP_OF_GOMEMLIMIT) return undefined;
  return { weight: 0.5, evidence: `live heap fills ${percent(share)} of GOMEMLIMIT`, decisive: true };
}
