/**
 * One second of one container as the agent saw it: the unit in which everything is judged, shipped and replayed.
 * Lines of a bundle's `signals.ndjson` and of the agent's reports to the operator are of this form.
 */
import { z } from 'zod';
import { CgroupFacts } from './cgroup-window.ts';

const ns = z.number().nonnegative();
const bytes = z.number().nonnegative();
const ratio = z.number().nonnegative();
const count = z.int().nonnegative();

export const StallStats = z.object({ count: z.int().nonnegative(), p50Ns: ns, p99Ns: ns, maxNs: ns, sumNs: ns });
export type StallStats = z.infer<typeof StallStats>;

/** Stops of the world for one reason: of each the whole, and the part until all goroutines stood still. */
export const PauseStats = z.object({
  count: z.int().nonnegative(),
  p99Ns: ns,
  maxNs: ns,
  sumNs: ns,
  stoppingP99Ns: ns,
  stoppingMaxNs: ns,
  stoppingSumNs: ns,
});
export type PauseStats = z.infer<typeof PauseStats>;

/** GC facts of the window, from the cycles that ended in it; heap figures are those of the last cycle known. */
export const GcFacts = z.object({
  cycles: z.int().nonnegative(),
  /** Non-idle GC CPU time ÷ (GOMAXPROCS × window), as the runtime's own GCCPUFraction counts it. */
  cpuShare: ratio,
  assistShare: ratio,
  /** CPU time of idle mark workers, likewise, charged as their cycle ends: with `cpuShare` it is `/cpu/classes/gc/total`. */
  idleShare: ratio.optional(),
  /** Live heap marked by the last cycle (`/gc/heap/live:bytes`). */
  heapLiveBytes: bytes,
  heapGoalBytes: bytes,
  rootsBytes: bytes,
  /** Bytes allocated per second over the window. */
  allocBytesPerSecond: z.number().nonnegative(),
  /** -1 = GOGC off. */
  gogc: z.int(),
  /** `null` = no GOMEMLIMIT. */
  goMemLimitBytes: bytes.nullable(),
  gomaxprocs: z.int().positive(),
  /** Cycles of the window that the memory limit, not GOGC, triggered. */
  limitDrivenCycles: z.int().nonnegative(),
  /**
   * Cycles by what triggered them: the heap, two minutes without one, the program. Counted in the window in which their last pause is seen;
   * what triggered the first one seen is known only if it was the program.
   */
  triggers: z.object({ heap: count, time: count, forced: count }).optional(),
  /** The longest of these cycles, from its request to its end, and the longest concurrent mark phase. */
  cycleMaxNs: ns.optional(),
  markMaxNs: ns.optional(),
  /**
   * Whether the runtime's GC CPU limiter was switched on in the window, or was on at the end of one in which the collector worked: then the
   * collector is held to half of the processor time, and the heap grows past its goal. Absent where that cannot be read.
   */
  limiterOn: z.boolean().optional(),
});
export type GcFacts = z.infer<typeof GcFacts>;

export * from './cgroup-window.ts';

/**
 * Assists were so many that a part of the time was looked at. Count and sum of `gcAssist` are then what was seen ÷ `observedShare`;
 * the maximum is that of what was seen.
 */
export const AssistSampling = z.object({
  observedShare: z.number().min(0).max(1),
  /** Stalls seen. */
  observed: z.int().nonnegative(),
  /** 90 % confidence intervals of `gcAssist.p99Ns` and `gcStall.p99Ns`, from order statistics of what was seen. */
  p99LowNs: ns,
  /** Null: too few were seen to bound it from above. */
  p99HighNs: ns.nullable(),
  stallP99LowNs: ns.optional(),
  stallP99HighNs: ns.nullable().optional(),
  /** Those of `gcAssist.count` and `gcAssist.sumNs`; those of `gcStall`, whose pauses are all seen, are as far from its own. */
  countLow: count.optional(),
  countHigh: count.nullable().optional(),
  sumLowNs: ns.optional(),
  sumHighNs: ns.nullable().optional(),
  /** Stalls that were seen to begin, and whose end was not waited for. */
  unfinished: z.int().nonnegative(),
});
export type AssistSampling = z.infer<typeof AssistSampling>;

/** Waits of one kind for the kernel's memory management. */
export const MemoryWaits = StallStats.extend({
  /** Of 1 ms and longer; of 10 ms and longer. */
  slow: count,
  verySlow: count,
  /** Those that began while the collector was marking. */
  whileMarking: z.object({ count, sumNs: ns }),
});
export type MemoryWaits = z.infer<typeof MemoryWaits>;

/** What happens at one moment: how often, and how often of that while the collector was marking. */
export const Occurrences = z.object({ count, whileMarking: count });
export type Occurrences = z.infer<typeof Occurrences>;

/** What the kernel's memory management cost the container's processes. */
export const KernelMemory = z.object({
  mmap: MemoryWaits,
  munmap: MemoryWaits,
  /** Memory that the processes' own threads had to free before they got any: for the machine; for a cgroup at its limit. */
  reclaimDirect: MemoryWaits,
  reclaimMemcg: MemoryWaits,
  /** How often the Go heap asked for more address space. */
  heapGrows: Occurrences,
  /** mmap calls that the kernel refused, for whatever reason. */
  mmapFailures: Occurrences,
  /** System calls, mmap among them, for which the kernel had no memory or no address space (ENOMEM). */
  allocationFailures: Occurrences,
  /** Processes that the OOM killer chose. */
  oomVictims: Occurrences,
  /** Waits of 1 ms and longer that were too many to be told one by one; they are counted above. Absent when there were none. */
  untold: count.optional(),
});
export type KernelMemory = z.infer<typeof KernelMemory>;

export const WaitStats = StallStats.extend({ failed: count });
export type WaitStats = z.infer<typeof WaitStats>;

/** Phases of network calls that ended in the window, however short. `read`: goroutines that waited for data, while that is watched. */
export const NetworkWaits = z.object({
  tlsClient: WaitStats,
  tlsServer: WaitStats,
  openssl: WaitStats,
  connect: WaitStats,
  read: WaitStats,
  /** Long waits that were too many to be told one by one; they are counted above. Absent when there were none. */
  untold: count.optional(),
  /** Handshakes and connections that are counted nowhere above: too many were under way at the same time. Absent when there were none. */
  untimed: count.optional(),
});
export type NetworkPhase = Exclude<keyof z.infer<typeof NetworkWaits>, 'untold' | 'untimed'>;
export type NetworkWaits = z.infer<typeof NetworkWaits>;

export const SignalWindow = z.object({
  /** Wall clock at the window's end, ISO 8601. */
  endedAt: z.iso.datetime(),
  durationMs: z.number().positive(),
  /** Sequence per container since the agent started watching it; a gap shows lost windows. */
  seq: z.int().nonnegative(),
  /**
   * Wall clock at which observation began, ISO 8601: only in the first window since then. What lies between the window before and this
   * moment was seen by nobody (the agent, its probe or the program was not there).
   */
  observedFrom: z.iso.datetime().optional(),
  pod: z.object({ namespace: z.string(), name: z.string(), uid: z.string() }),
  container: z.string(),
  containerId: z.string(),
  pids: z.array(z.int()).readonly(),
  /** STW pauses whose reason is the collector's. */
  gcPause: StallStats,
  /** Of those pauses the part until all goroutines stood still. */
  gcStopping: StallStats.optional(),
  /** Those pauses by reason: one at the begin, one at the end of a cycle. */
  gcPauseByReason: z.object({ sweepTermination: PauseStats, markTermination: PauseStats }).optional(),
  /** Mark-assist stalls. */
  gcAssist: StallStats,
  /** STW pauses and assist stalls as one distribution: what an event waits for GC. */
  gcStall: StallStats,
  /** STW pauses that a capture of ours caused: listed apart, never charged to the target. */
  capturePause: StallStats,
  /**
   * STW pauses that were neither the collector's nor our capture's: the program's own (GOMAXPROCS, AllThreadsSyscall, a heap dump), those of
   * a reason that is not known, and those of profiling by somebody else, of which there were `profiling`.
   */
  otherPause: StallStats.extend({ profiling: count }).optional(),
  /** Absent when every assist was seen. */
  gcAssistSampling: AssistSampling.optional(),
  kernelMemory: KernelMemory.optional(),
  network: NetworkWaits.optional(),
  /** `null` until the first cycle ended under watch. */
  gc: GcFacts.nullable(),
  cgroup: CgroupFacts.nullable(),
  activeRobots: z.number().nonnegative().nullable(),
  /** Probe events lost in this window: of the container's processes, or nobody knows of which. */
  lostEvents: z.int().nonnegative(),
  /**
   * Fields (`gcStall`, `kernelMemory.mmap`) that nobody observed: their zeros mean nothing, and what they hold is at most a part. Absent when
   * all were observed.
   */
  missing: z.array(z.string()).readonly().optional(),
});
export type SignalWindow = z.infer<typeof SignalWindow>;

/** As `missing` names it. */
export type WindowField = keyof SignalWindow | `${keyof SignalWindow}.${string}`;

/** What is part of a missing field is missing too, and what is read from several as soon as one of them is. */
export function isMissing(
  { missing }: Pick<SignalWindow, 'missing'>,
  field: WindowField | readonly WindowField[],
): boolean {
  if (missing === undefined) return false;
  if (typeof field !== 'string') return field.some((each) => isMissing({ missing }, each));
  return missing.some((name) => field === name || (field.startsWith(name) && field[name.length] === '.'));
}

/**
 * How many windows its longest stop of the world reached into: a pause is told when it ends, and the windows in which the program stood still
 * until then show nothing at all.
 */
export function windowsStoodStill({ gcPause, durationMs }: Pick<SignalWindow, 'gcPause' | 'durationMs'>): number {
  return 1 + Math.floor(gcPause.maxNs / (durationMs * 1e6));
}
