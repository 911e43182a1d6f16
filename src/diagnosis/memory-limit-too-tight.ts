/** The container needs more memory than it may have: reclaim stalls it, or the limit drives the collector. */
import {
  LIVE_HEAP_OF_GOMEMLIMIT,
  MEMORY_SIGNALS,
  NEAR_LIMIT,
  pressedNearLimit,
  type SignalWindow,
} from '../model/index.ts';
import type { CauseCheck, Facts } from './evidence.ts';
import { killsIn } from './kills.ts';
import { gcEvidence, mebibytes, percent, together } from './words.ts';

const MIN_CYCLES = 3;
/** Pages a second: 4 MiB of them, read again for nothing. */
const MANY_REFAULTS = 1_000;
const MOSTLY_LIMIT_DRIVEN = 0.5;

interface Ground {
  readonly weight: number;
  readonly evidence: string;
  /** Enough by itself; the others only support. */
  readonly decisive: boolean;
}

export const memoryLimitTooTight: CauseCheck = (facts) => {
  const grounds = [
    pressureNearLimit(facts),
    refaulting(facts),
    limitDriven(facts),
    killed(facts),
    noRoom(facts),
    limiter(facts),
    limitMet(facts),
  ].filter((ground) => ground !== undefined);
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

function pressureNearLimit({ recent, broken, evidence: { thresholds } }: Facts): Ground | undefined {
  const over = [...broken].filter((signal) => MEMORY_SIGNALS.has(signal));
  if (over.length === 0) return undefined;
  // That all tasks stalled at once, or a limit of the team's own on the use itself, asks for no pressure besides.
  const bySome = over.every((signal) => signal === 'memoryPressureSome');
  const pressed = pressedNearLimit(recent, bySome ? thresholds.memoryPressureSome : null);
  if (pressed.length === 0) return undefined;
  const worst = Math.max(...pressed.map((window) => window.cgroup?.memoryPressure?.some ?? 0));
  const evidence = `memory pressure up to ${percent(worst)} of a window, with the working set at ${percent(NEAR_LIMIT)} of the limit or more, in ${pressed.length} of ${recent.length} windows`;
  return { weight: 0.65, evidence, decisive: true };
}

/** What is read again and again has no room: kubelet's working set, which leaves out pages that were used once, does not show it. */
function refaulting({ recent, memoryOver }: Facts): Ground | undefined {
  if (!memoryOver) return undefined;
  const thrashing = recent.filter(
    (window) =>
      isAtLimit(window) && refaultsPerSecond(window) >= MANY_REFAULTS && (window.cgroup?.events?.max ?? 0) > 0,
  );
  if (thrashing.length < 2) return undefined;
  const most = Math.round(Math.max(...thrashing.map(refaultsPerSecond)));
  const evidence = `up to ${most} pages a second came back soon after they were evicted, at the limit in ${thrashing.length} of ${recent.length} windows`;
  return { weight: 0.5, evidence, decisive: true };
}

function isAtLimit({ cgroup }: SignalWindow): boolean {
  return !!cgroup?.memoryLimitBytes && cgroup.memoryCurrentBytes >= NEAR_LIMIT * cgroup.memoryLimitBytes;
}

function refaultsPerSecond({ cgroup }: SignalWindow): number {
  return (cgroup?.reclaim?.refaultsFilePerSecond ?? 0) + (cgroup?.reclaim?.refaultsAnonPerSecond ?? 0);
}

function limitDriven({ recent, limitDrivenShare }: Facts): Ground | undefined {
  const cycles = recent.reduce((total, window) => total + (window.gc?.cycles ?? 0), 0);
  if (cycles < MIN_CYCLES || limitDrivenShare < MOSTLY_LIMIT_DRIVEN) return undefined;
  const evidence = `GOMEMLIMIT, not GOGC, triggered ${percent(limitDrivenShare)} of ${cycles} cycles`;
  return { weight: 0.7, evidence, decisive: true };
}

function killed({ recent }: Facts): Ground | undefined {
  const { count, farFromOwnLimit } = killsIn(recent);
  if (count === 0 || farFromOwnLimit) return undefined;
  return { weight: 0.8, evidence: `${count} OOM kills`, decisive: true };
}

/** It gives the heap more than its goal where the collector would take half of the CPU: seldom without a limit to keep to. */
function limiter({ recent }: Facts): Ground | undefined {
  const on = recent.filter((window) => window.gc?.limiterOn === true).length;
  if (on === 0) return undefined;
  const evidence = `the runtime's GC CPU limiter was on in ${on} of ${recent.length} windows`;
  return { weight: 0.3, evidence, decisive: false };
}

/** Whoever only fills the file cache meets the limit too. Whose it was: a pod's is the sum of its containers' limits. */
function limitMet({ recent }: Facts): Ground | undefined {
  const total = (hits: (window: (typeof recent)[number]) => number | null | undefined): number =>
    recent.reduce((sum, window) => sum + (hits(window) ?? 0), 0);
  const own = total(({ cgroup }) => cgroup?.events?.max);
  const pods = total(({ cgroup }) => cgroup?.podMaxEvents);
  if (own + pods === 0) return undefined;
  const evidence = `memory.max was met ${own + pods} times: the container's own ${own}, its pod's ${pods}`;
  return { weight: 0.1, evidence, decisive: false };
}

function noRoom({ recent, gcOverBudget, broken }: Facts): Ground | undefined {
  const gc = recent.findLast((window) => window.gc !== null)?.gc;
  if (!(gcOverBudget || broken.has('liveHeapShareOfLimit')) || !gc?.goMemLimitBytes) return undefined;
  const share = gc.heapLiveBytes / gc.goMemLimitBytes;
  if (share < LIVE_HEAP_OF_GOMEMLIMIT) return undefined;
  return { weight: 0.5, evidence: `live heap fills ${percent(share)} of GOMEMLIMIT`, decisive: true };
}
