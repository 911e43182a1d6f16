/**
 * What a container's cgroup, and the node beside it, did in one window.
 *
 * Windows recorded before a field existed lack it: that is what `optional` stands for here. `null` says that this kernel or cgroup version
 * does not tell it (then it is named in `missing`), or, for a limit, that there is none.
 */
import { z } from 'zod';

const bytes = z.number().nonnegative();
const ratio = z.number().nonnegative();
const count = z.int().nonnegative();
const perSecond = z.number().nonnegative();
const told = <T extends z.ZodType>(type: T) => type.nullable().optional();

/** Share of the window in which some/all tasks stalled (PSI `total` delta ÷ window); `full` is null where the kernel has no such line. */
export const PressureShare = z.object({ some: ratio, full: ratio.nullable() });
export type PressureShare = z.infer<typeof PressureShare>;

/** The kernel's own moving averages at the window's end, as shares of time. */
export const PressureAverages = z.object({ avg10: ratio, avg60: ratio, avg300: ratio });
export type PressureAverages = z.infer<typeof PressureAverages>;

/** How often in the window (`memory.events`); null where this cgroup version does not count it. */
export const MemoryEventCounts = z.object({
  /** Reclaimed although below memory.low. */
  low: count.nullable(),
  /** Throttled above memory.high. */
  high: count.nullable(),
  /** About to go over memory.max (v1: memory.failcnt). */
  max: count.nullable(),
  /** Reclaim at the limit failed. */
  oom: count.nullable(),
  oomKill: count.nullable(),
  /** Groups that were killed as a whole. */
  oomGroupKill: told(count),
});
export type MemoryEventCounts = z.infer<typeof MemoryEventCounts>;

/** From memory.stat, over the latest distance between two of its readings: the window itself while memory stalls, else up to five windows. */
export const ReclaimRates = z.object({
  majorFaultsPerSecond: perSecond.nullable(),
  /** Pages that came back soon after they were evicted: the working set does not fit. */
  refaultsAnonPerSecond: perSecond.nullable(),
  refaultsFilePerSecond: perSecond.nullable(),
  pagesScannedPerSecond: perSecond.nullable(),
  pagesStolenPerSecond: perSecond.nullable(),
});
export type ReclaimRates = z.infer<typeof ReclaimRates>;

export const CgroupFacts = z.object({
  memoryCurrentBytes: bytes,
  memoryLimitBytes: bytes.nullable(),
  /** Limit above which the kernel throttles and reclaims instead of killing. */
  memoryHighBytes: told(bytes),
  /** Highest use since the cgroup was made. */
  memoryPeakBytes: told(bytes),
  /** Use without the file cache that was not used lately: what kubelet evicts by. */
  workingSetBytes: told(bytes),
  anonBytes: told(bytes),
  fileBytes: told(bytes),
  swapBytes: told(bytes),
  swapLimitBytes: told(bytes),
  /** Share of the window in which some/all tasks stalled on memory (PSI `total` delta ÷ window). */
  memoryPressure: PressureShare.nullable(),
  /** `full` is null where the kernel has no such line. */
  memoryPressureAverages: told(z.object({ some: PressureAverages, full: PressureAverages.nullable() })),
  /** The next two, like `reclaim`, over the latest distance between two readings. */
  cpuPressure: told(PressureShare),
  ioPressure: told(PressureShare),
  /** The same shares for the whole node: a container under pressure on a calm node presses itself. */
  node: told(
    z.object({ memory: PressureShare.nullable(), cpu: PressureShare.nullable(), io: PressureShare.nullable() }),
  ),
  reclaim: told(ReclaimRates),
  /** Of this cgroup and those below it. */
  events: told(MemoryEventCounts),
  /** Of this cgroup alone. */
  eventsLocal: told(MemoryEventCounts),
  /** How often the pod's own cgroup was about to go over its limit: a single container meets it there first. Null outside a pod. */
  podMaxEvents: told(count),
  cpuUsedCores: z.number().nonnegative().nullable(),
  cpuLimitCores: z.number().positive().nullable(),
  /** Share of the window's CFS periods that were throttled. */
  throttledShare: ratio.nullable(),
  /** Time for which the tasks of one CPU were held back, summed over CPUs: may exceed the window. */
  throttledNs: told(z.number().nonnegative()),
  /** Processes, each once: `events` has them as the kernel counts them. */
  oomKills: count,
  /** Figures this kernel or cgroup version does not give. */
  missing: z.array(z.string()),
});
export type CgroupFacts = z.infer<typeof CgroupFacts>;
