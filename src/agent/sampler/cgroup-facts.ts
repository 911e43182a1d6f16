/** What a container's cgroup did between two readings. Pure. */
import type { CgroupSample, CpuStat, MemoryEvents, MissingFile, NodePressure, Pressure } from '../../host/index.ts';
import type { CgroupFacts } from '../../model/window.ts';
import { remembered } from '../remembered.ts';
import { nodeShares, pressureShare } from './pressure-share.ts';
import { rise, riseOrNull } from './rise.ts';
import type { SlowFacts } from './slow-facts.ts';

/** A container's cgroup and the node, read in one tick. */
export interface CgroupReading {
  readonly cgroup: CgroupSample;
  readonly node: NodePressure | null;
}

export interface CgroupStretch {
  /** From one reading to the other. */
  readonly durationMs: number;
  /** From the files that are read at their own pace, see SlowLedger. */
  readonly slow: SlowFacts;
  /** Of this cgroup's windows before. */
  readonly standing?: StandingFacts;
}

/** What is the same from reading to reading gives the same facts, as one object: most figures of a quiet cgroup stand still. */
export class StandingFacts {
  readonly averages = remembered(averages);
  readonly missing = remembered(missing);
  readonly events = remembered(eventCountsOf);
  readonly eventsLocal = remembered(eventCountsOf);
}

/**
 * @param before the reading at the window's start; null where there was none: then there are no deltas
 */
export function cgroupFacts(
  before: CgroupReading | null,
  { cgroup: after, node }: CgroupReading,
  { durationMs, slow, standing = new StandingFacts() }: CgroupStretch,
): CgroupFacts {
  const was = before?.cgroup ?? null;
  return {
    memoryCurrentBytes: after.memoryCurrentBytes ?? 0,
    memoryLimitBytes: after.memoryLimitBytes,
    memoryHighBytes: after.memoryHighBytes,
    memoryPeakBytes: after.memoryPeakBytes,
    workingSetBytes: after.memoryWorkingSetBytes,
    anonBytes: after.stat?.anonBytes ?? null,
    fileBytes: after.stat?.fileBytes ?? null,
    swapBytes: after.swapBytes,
    swapLimitBytes: after.swapLimitBytes,
    memoryPressure: pressureShare(was?.pressure.memory ?? null, after.pressure.memory, durationMs),
    memoryPressureAverages: standing.averages(after.pressure.memory),
    cpuPressure: slow.cpuPressure,
    ioPressure: slow.ioPressure,
    node: nodeShares(before?.node ?? null, node, durationMs),
    reclaim: slow.reclaim,
    events: standing.events(was?.events ?? null, after.events),
    eventsLocal: standing.eventsLocal(was?.eventsLocal ?? null, after.eventsLocal),
    podMaxEvents: riseOrNull(was?.podMaxEvents ?? null, after.podMaxEvents),
    cpuUsedCores: usedCores(was?.cpu ?? null, after.cpu, durationMs),
    cpuLimitCores: after.cpuLimitCores,
    throttledShare: throttledShare(was?.cpu ?? null, after.cpu),
    throttledNs: riseOrNull(was?.cpu?.throttledNs ?? null, after.cpu?.throttledNs ?? null),
    oomKills: was?.events && after.events ? killedOnce(was.events, after.events) : 0,
    missing: standing.missing(after.missing),
  };
}

function missing(files: readonly MissingFile[]): string[] {
  return files.map(({ name, problem }) => `${name} (${problem})`).sort();
}

function averages(pressure: Pressure | null): CgroupFacts['memoryPressureAverages'] {
  if (!pressure) return null;
  const of = ({ avg10, avg60, avg300 }: Pressure['some']) => ({ avg10, avg60, avg300 });
  return { some: of(pressure.some), full: pressure.full && of(pressure.full) };
}

function eventCountsOf(before: MemoryEvents | null, after: MemoryEvents | null): CgroupFacts['events'] {
  if (!before || !after) return null;
  return {
    low: riseOrNull(before.low, after.low),
    high: riseOrNull(before.high, after.high),
    max: rise(before.max, after.max),
    oom: riseOrNull(before.oom, after.oom),
    oomKill: rise(before.oomKill, after.oomKill),
    oomGroupKill: riseOrNull(before.oomGroupKill, after.oomGroupKill),
  };
}

/** Where a group is killed as a whole, the kernel counts the process that it chose once more with all of them, unless that has ended by then. */
function killedOnce(before: MemoryEvents, after: MemoryEvents): number {
  const groups = riseOrNull(before.oomGroupKill, after.oomGroupKill) ?? 0;
  return Math.max(groups, rise(before.oomKill, after.oomKill) - groups);
}

function usedCores(before: CpuStat | null, after: CpuStat | null, durationMs: number): number | null {
  return before && after ? rise(before.usageNs, after.usageNs) / 1e6 / durationMs : null;
}

function throttledShare(before: CpuStat | null, after: CpuStat | null): number | null {
  if (!before || !after) return null;
  const periods = rise(before.nrPeriods, after.nrPeriods);
  return periods === 0 ? 0 : Math.min(1, rise(before.nrThrottled, after.nrThrottled) / periods);
}
