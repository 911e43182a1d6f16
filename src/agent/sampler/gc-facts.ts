/** GC facts of a window, from what each process was charged in it. Pure. */
import type { CycleTrigger, GcFacts } from '../../model/index.ts';
import type { GcCharge } from './gc-ledger.ts';
import type { SeenCycle } from './types.ts';

/** The runtime's goal when nothing bounds the heap (GOGC off, no GOMEMLIMIT): `/gc/heap/goal:bytes` prints 2^64 − 1. */
export const unboundedHeapGoal = 2 ** 64;

interface Stretch {
  readonly durationNs: number;
  /** Null where it is not known. */
  readonly limiterOn: boolean | null;
  /** Cycles whose phases are known since the last window; null where nobody sees them. */
  readonly phased: readonly SeenCycle[] | null;
}

/** One container's facts from its processes': times and sizes add up, settings are those of the first process. */
export function gcFacts(charges: readonly GcCharge[], { durationNs, limiterOn, phased }: Stretch): GcFacts | null {
  const known = charges.flatMap((charge) => (charge.last ? [{ ...charge, last: charge.last }] : []));
  const first = known[0];
  if (!first) return null;
  const sum = (value: (charge: (typeof known)[number]) => number): number =>
    known.reduce((total, charge) => total + value(charge), 0);
  const gomaxprocs = known.reduce((max, { last }) => Math.max(max, last.procs), 1);
  const share = (cpuNs: number): number => Math.min(1, cpuNs / (gomaxprocs * durationNs));
  return {
    cycles: sum((charge) => charge.cycles),
    cpuShare: share(sum((charge) => charge.gcCpuNs)),
    assistShare: share(sum((charge) => charge.assistCpuNs)),
    idleShare: share(sum((charge) => charge.idleCpuNs)),
    heapLiveBytes: sum(({ last }) => last.heapMarkedBytes),
    heapGoalBytes: sum(({ last }) => last.heapGoalBytes ?? unboundedHeapGoal),
    rootsBytes: sum(({ last }) => last.lastStackScanBytes + last.globalsScanBytes),
    allocBytesPerSecond: Math.round(sum((charge) => charge.allocBytesPerSecond ?? 0)),
    gogc: first.last.gcPercent,
    goMemLimitBytes: first.last.memoryLimitBytes,
    gomaxprocs,
    limitDrivenCycles: sum((charge) => charge.limitDrivenCycles),
    ...(phased === null ? {} : cycleFacts(phased)),
    ...(limiterOn === null ? {} : { limiterOn }),
  };
}

function cycleFacts(phased: readonly SeenCycle[]): Pick<GcFacts, 'triggers' | 'cycleMaxNs' | 'markMaxNs'> {
  const by = (wanted: CycleTrigger): number => phased.filter(({ trigger }) => trigger === wanted).length;
  const longest = (lengthNs: (cycle: SeenCycle) => number): number =>
    phased.reduce((max, cycle) => Math.max(max, lengthNs(cycle)), 0);
  return {
    triggers: { heap: by('heap'), time: by('time'), forced: by('forced') },
    cycleMaxNs: longest(({ atNs, markStartNs }) => atNs - markStartNs),
    markMaxNs: longest(({ concurrentMarkNs }) => concurrentMarkNs ?? 0),
  };
}
