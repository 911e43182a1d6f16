/** The signals that are judged where a policy sets a limit, most urgent first. Each with the words by which `explain` shows it. */
import type { FurtherSignal } from '../api/index.ts';
import { oomKills } from './oom-kills.ts';
import { sampledStall } from './sampled-signals.ts';
import type { SignalCheck } from './signal-check.ts';
import { pooledStallP99Ns } from './summary.ts';
import { isMissing, type SignalWindow, windowsStoodStill } from './window.ts';

export interface FurtherCheck extends Omit<SignalCheck, 'threshold'> {
  readonly signal: FurtherSignal;
  readonly formula: string;
  readonly note?: string;
}

type Distribution = 'gcPause' | 'gcAssist' | 'gcStall';

/** Where nobody looked, no stall is no health. */
function stall(
  field: Distribution,
  of: 'p99Ns' | 'maxNs',
): Pick<FurtherCheck, 'unit' | 'field' | 'hurtBy' | 'sampled' | 'spans' | 'observe'> {
  return {
    unit: 'ns',
    field,
    hurtBy: 'lostEvents',
    ...(field === 'gcPause' ? {} : { sampled: sampledStall(field, of) }),
    ...(field === 'gcAssist' ? {} : { spans: windowsStoodStill }),
    observe: (window) => (isMissing(window, field) && window[field].count === 0 ? undefined : window[field][of]),
  };
}

const perSecond = (count: number | undefined, { durationMs }: SignalWindow): number | undefined =>
  count === undefined ? undefined : count / (durationMs / 1000);

/** Missing, or not told by this kernel: then no number. */
const told = (value: number | null | undefined): number | undefined => value ?? undefined;

/** The smaller of two limits, either of which may not be set. */
const smaller = (...limits: readonly (number | null | undefined)[]): number | undefined => {
  const set = limits.filter((limit) => limit !== null && limit !== undefined);
  return set.length === 0 ? undefined : Math.min(...set);
};

const share = (part: number | undefined, whole: number | undefined): number | undefined =>
  part === undefined || whole === undefined || whole === 0 ? undefined : part / whole;

export const FURTHER_CHECKS: readonly FurtherCheck[] = [
  {
    signal: 'oomKills',
    name: 'OOM kills',
    unit: 'count',
    field: 'cgroup',
    hurtBy: 'nothing',
    observe: oomKills,
    summed: true,
    formula: 'Σ oom_kill of memory.events (watched OOM victims where the cgroup is gone) over the windows looked at',
  },
  {
    signal: 'gcLimiter',
    name: 'GC CPU limiter',
    unit: 'flag',
    field: 'gc',
    hurtBy: 'nothing',
    observe: ({ gc }) => (gc?.limiterOn === undefined ? undefined : Number(gc.limiterOn)),
    formula: 'runtime.gcCPULimiter switched on in a window',
    note: 'While it is on, the collector is held to half of the CPU and the heap grows past its goal.',
  },
  {
    signal: 'allocationFailures',
    name: 'allocations that the kernel refused',
    unit: 'count',
    field: 'kernelMemory.allocationFailures',
    hurtBy: 'nothing',
    observe: ({ kernelMemory }) => kernelMemory?.allocationFailures.count,
    summed: true,
    formula: 'Σ system calls that ended with ENOMEM over the windows looked at',
  },
  {
    signal: 'gcStallMax',
    name: 'longest GC stall',
    ...stall('gcStall', 'maxNs'),
    formula: 'max(STW pauses and assist stalls of a window)',
  },
  {
    signal: 'gcPauseP99',
    name: 'GC pause P99',
    ...stall('gcPause', 'p99Ns'),
    overall: (windows) => pooledStallP99Ns(windows, 'gcPause'),
    formula: 'P99 of the STW pauses of a window',
  },
  {
    signal: 'gcPauseMax',
    name: 'longest GC pause',
    ...stall('gcPause', 'maxNs'),
    formula: 'max(STW pauses of a window)',
  },
  {
    signal: 'stoppingP99',
    name: 'stopping P99',
    unit: 'ns',
    field: 'gcStopping',
    hurtBy: 'lostEvents',
    observe: ({ gcStopping }) => gcStopping?.p99Ns,
    formula: 'P99 of the time until all goroutines stood still, of the STW pauses of a window',
  },
  {
    signal: 'gcAssistP99',
    name: 'GC assist P99',
    ...stall('gcAssist', 'p99Ns'),
    overall: (windows) => pooledStallP99Ns(windows, 'gcAssist'),
    formula: 'P99 of the assist stalls of a window',
  },
  {
    signal: 'reclaimStall',
    name: 'longest wait for memory reclaim',
    unit: 'ns',
    field: ['kernelMemory.reclaimDirect', 'kernelMemory.reclaimMemcg'],
    hurtBy: 'nothing',
    observe: ({ kernelMemory }) =>
      kernelMemory && Math.max(kernelMemory.reclaimDirect.maxNs, kernelMemory.reclaimMemcg.maxNs),
    formula: "max(direct and memcg reclaim by the container's own threads)",
  },
  {
    signal: 'assistShare',
    name: 'assist share of the CPU',
    unit: 'ratio',
    field: 'gc',
    hurtBy: 'lostEvents',
    observe: ({ gc }) => gc?.assistShare,
    formula: 'CPU time of assists ÷ (GOMAXPROCS × window)',
  },
  {
    signal: 'gcRate',
    name: 'GC cycles',
    unit: '1/s',
    field: 'gc',
    hurtBy: 'lostEvents',
    observe: (window) => perSecond(window.gc?.cycles, window),
    formula: 'GC cycles that ended ÷ window',
  },
  {
    signal: 'cycleMax',
    name: 'longest GC cycle',
    unit: 'ns',
    field: 'gc',
    hurtBy: 'lostEvents',
    observe: ({ gc }) => gc?.cycleMaxNs,
    formula: 'max(end − request of the cycles that ended in a window)',
  },
  {
    signal: 'markMax',
    name: 'longest mark phase',
    unit: 'ns',
    field: 'gc',
    hurtBy: 'lostEvents',
    observe: ({ gc }) => gc?.markMaxNs,
    formula: 'max(concurrent mark of the cycles that ended in a window)',
    note: 'While it lasts, allocation is taxed with assists.',
  },
  {
    signal: 'throttledShare',
    name: 'CPU throttling',
    unit: 'ratio',
    field: 'cgroup',
    hurtBy: 'nothing',
    observe: ({ cgroup }) => told(cgroup?.throttledShare),
    formula: 'throttled CFS periods ÷ CFS periods of a window',
  },
  {
    signal: 'memoryHighRate',
    name: 'throttling above memory.high',
    unit: '1/s',
    field: 'cgroup',
    hurtBy: 'nothing',
    observe: (window) => perSecond(told(window.cgroup?.events?.high), window),
    formula: 'Δ(high of memory.events) ÷ window',
  },
  {
    signal: 'memoryMaxRate',
    name: 'hits of memory.max',
    unit: '1/s',
    field: 'cgroup',
    hurtBy: 'nothing',
    observe: (window) => perSecond(limitHits(window), window),
    formula: "Δ(max of memory.events + max of the pod's memory.events.local, v1: memory.failcnt of both) ÷ window",
  },
  {
    signal: 'memoryShareOfLimit',
    name: 'memory use of its limit',
    unit: 'ratio',
    field: 'cgroup',
    hurtBy: 'nothing',
    observe: ({ cgroup }) =>
      share(
        cgroup?.workingSetBytes ?? cgroup?.memoryCurrentBytes,
        smaller(cgroup?.memoryLimitBytes, cgroup?.memoryHighBytes),
      ),
    formula: 'working set ÷ min(memory.max, memory.high)',
  },
  {
    signal: 'liveHeapShareOfLimit',
    name: 'live heap of its limit',
    unit: 'ratio',
    field: 'gc',
    hurtBy: 'lostEvents',
    observe: ({ gc, cgroup }) => share(gc?.heapLiveBytes, smaller(gc?.goMemLimitBytes, cgroup?.memoryLimitBytes)),
    formula: 'live heap of the last cycle ÷ min(GOMEMLIMIT, memory.max)',
    note: 'Beyond 60 % of GOMEMLIMIT more memory is the remedy, not another GOGC.',
  },
  {
    signal: 'heapLive',
    name: 'live heap',
    unit: 'bytes',
    field: 'gc',
    hurtBy: 'lostEvents',
    observe: ({ gc }) => gc?.heapLiveBytes,
    formula: 'live heap of the last cycle',
  },
  {
    signal: 'heapGoal',
    name: 'heap goal',
    unit: 'bytes',
    field: 'gc',
    hurtBy: 'lostEvents',
    observe: ({ gc }) => gc?.heapGoalBytes,
    formula: 'heap goal of the last cycle; without bound where GOGC is off and there is no GOMEMLIMIT',
  },
  {
    signal: 'allocationRate',
    name: 'allocation',
    unit: 'bytes/s',
    field: 'gc',
    hurtBy: 'lostEvents',
    observe: ({ gc }) => gc?.allocBytesPerSecond,
    formula: 'Δ(bytes allocated) ÷ window',
  },
  {
    signal: 'mmapVerySlowRate',
    name: 'mmap calls of 10 ms and longer',
    unit: '1/s',
    field: 'kernelMemory.mmap',
    hurtBy: 'nothing',
    observe: (window) => perSecond(window.kernelMemory?.mmap.verySlow, window),
    formula: 'mmap calls of 10 ms and longer ÷ window',
  },
  {
    signal: 'mmapSlowRate',
    name: 'mmap calls of 1 ms and longer',
    unit: '1/s',
    field: 'kernelMemory.mmap',
    hurtBy: 'nothing',
    observe: (window) => perSecond(window.kernelMemory?.mmap.slow, window),
    formula: 'mmap calls of 1 ms and longer ÷ window',
  },
  {
    signal: 'majorFaultRate',
    name: 'major page faults',
    unit: '1/s',
    field: 'cgroup',
    hurtBy: 'nothing',
    observe: ({ cgroup }) => told(cgroup?.reclaim?.majorFaultsPerSecond),
    formula: 'Δ(pgmajfault of memory.stat) ÷ time between two readings',
  },
  {
    signal: 'refaultRate',
    name: 'refaults',
    unit: '1/s',
    field: 'cgroup',
    hurtBy: 'nothing',
    observe: ({ cgroup }) => refaults(cgroup?.reclaim),
    formula: 'Δ(workingset_refault_anon + _file of memory.stat) ÷ time between two readings',
  },
];

/** A single container meets its pod's limit, which is as large as its own, and there the kernel counts it. */
function limitHits({ cgroup }: SignalWindow): number | undefined {
  const own = told(cgroup?.events?.max);
  return own === undefined ? undefined : own + (cgroup?.podMaxEvents ?? 0);
}

function refaults(reclaim: NonNullable<SignalWindow['cgroup']>['reclaim']): number | undefined {
  const [anon, file] = [told(reclaim?.refaultsAnonPerSecond), told(reclaim?.refaultsFilePerSecond)];
  return anon === undefined && file === undefined ? undefined : (anon ?? 0) + (file ?? 0);
}
