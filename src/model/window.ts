/**
 * One second of one container as the agent saw it: the unit in which everything is judged, shipped and replayed.
 * Lines of a bundle's `signals.ndjson` and of the agent's reports to the operator are of this form.
 */
import { z } from 'zod';
import { CgroupFacts } from './cgroup-window.ts';

const ns = z.number().nonnegative();
const bytes = z.number().nonnegative();
const ratio = z.number().nonnegative();

export const StallStats = z.object({ count: z.int().nonnegative(), p50Ns: ns, p99Ns: ns, maxNs: ns, sumNs: ns });
export type StallStats = z.infer<typeof StallStats>;

/** GC facts of the window, from the cycles that ended in it; heap figures are those of the last cycle known. */
export const GcFacts = z.object({
  cycles: z.int().nonnegative(),
  /** Non-idle GC CPU time ÷ (GOMAXPROCS × window), as the runtime's own GCCPUFraction counts it. */
  cpuShare: ratio,
  assistShare: ratio,
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
});
export type GcFacts = z.infer<typeof GcFacts>;

export * from './cgroup-window.ts';

export const SignalWindow = z.object({
  /** Wall clock at the window's end, ISO 8601. */
  endedAt: z.iso.datetime(),
  durationMs: z.number().positive(),
  /** Sequence per container since the agent started watching it; a gap shows lost windows. */
  seq: z.int().nonnegative(),
  pod: z.object({ namespace: z.string(), name: z.string(), uid: z.string() }),
  container: z.string(),
  containerId: z.string(),
  pids: z.array(z.int()),
  /** STW pauses whose reason is the collector's. */
  gcPause: StallStats,
  /** Mark-assist stalls. */
  gcAssist: StallStats,
  /** STW pauses and assist stalls as one distribution: what an event waits for GC. */
  gcStall: StallStats,
  /** STW pauses that profiling caused: listed apart, never charged to the target. */
  capturePause: StallStats,
  /** `null` until the first cycle ended under watch. */
  gc: GcFacts.nullable(),
  cgroup: CgroupFacts.nullable(),
  activeRobots: z.number().nonnegative().nullable(),
  /** Probe events lost in this window. */
  lostEvents: z.int().nonnegative(),
});
export type SignalWindow = z.infer<typeof SignalWindow>;
