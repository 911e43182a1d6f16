/** GC facts of a window, from what each process was charged in it. Pure. */
import type { CycleTrigger, GcFacts } from '../../model/index.ts';
import type { GcCharge, HeapState } from './gc-ledger.ts';
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
  let first: HeapState | null = null;
  let gomaxprocs = 1;
  let gcCpuNs = 0;
  let assistCpuNs = 0;
  let idleCpuNs = 0;
  let cycles = 0;
  let limitDrivenCycles = 0;
  let heapLiveBytes = 0;
  let heapGoalBytes = 0;
  let rootsBytes = 0;
  let allocBytesPerSecond = 0;
  for (const charge of charges) {
    const { last } = charge;
    if (last === null) continue;
    first ??= last;
    gomaxprocs = Math.max(gomaxprocs, last.procs);
    gcCpuNs += charge.gcCpuNs;
    assistCpuNs += charge.assistCpuNs;
    idleCpuNs += charge.idleCpuNs;
    cycles += charge.cycles;
    limitDrivenCycles += charge.limitDrivenCycles;
    heapLiveBytes += last.heapMarkedBytes;
    heapGoalBytes += last.heapGoalBytes ?? unboundedHeapGoal;
    rootsBytes += last.lastStackScanBytes + last.globalsScanBytes;
    allocBytesPerSecond += charge.allocBytesPerSecond ?? 0;
  }
  if (first === null) return null;
  const availableNs = gomaxprocs * durationNs;
  const facts: GcFacts = {
    cycles,
    cpuShare: Math.min(1, gcCpuNs / availableNs),
    assistShare: Math.min(1, assistCpuNs / availableNs),
    idleShare: Math.min(1, idleCpuNs / availableNs),
    heapLiveBytes,
    heapGoalBytes,
    rootsBytes,
    allocBytesPerSecond: Math.round(allocBytesPerSecond),
    gogc: first.gcPercent,
    goMemLimitBytes: first.memoryLimitBytes,
    gomaxprocs,
    limitDrivenCycles,
  };
  if (phased !== null) Object.assign(facts, phased.length === 0 ? noCycles : cycleFacts(phased));
  if (limiterOn !== null) facts.limiterOn = limiterOn;
  return facts;
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

/** Of most windows: one object for all of them. */
const noCycles = cycleFacts([]);
