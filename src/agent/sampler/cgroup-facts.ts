/** What a container's cgroup did between two readings. Pure. */
import type { CgroupSample, CpuStat, Pressure } from '../../host/index.ts';
import type { CgroupFacts } from '../../model/window.ts';

/**
 * @param before the reading at the window's start; null at the first window, whose deltas are then zero and named as missing
 * @param durationMs from one reading to the other
 */
export function cgroupFacts(before: CgroupSample | null, after: CgroupSample, durationMs: number): CgroupFacts {
  const missing = new Set(after.missing);
  if (!before) missing.add('deltas: first window');
  if (after.memoryCurrentBytes === null) missing.add('memory.current');
  return {
    memoryCurrentBytes: after.memoryCurrentBytes ?? 0,
    memoryLimitBytes: after.memoryLimitBytes,
    memoryPressure: pressureShare(before?.pressure.memory ?? null, after.pressure.memory, durationMs),
    cpuUsedCores: usedCores(before?.cpu ?? null, after.cpu, durationMs),
    cpuLimitCores: after.cpuLimitCores,
    throttledShare: throttledShare(before?.cpu ?? null, after.cpu),
    oomKills: before?.events && after.events ? rise(before.events.oomKill, after.events.oomKill) : 0,
    missing: [...missing].sort(),
  };
}

/** Share of the window stalled: Δ`total` ÷ window, at most 1. Null where the kernel tells no memory pressure, or not yet twice. */
function pressureShare(
  before: Pressure | null,
  after: Pressure | null,
  durationMs: number,
): CgroupFacts['memoryPressure'] {
  if (!before || !after) return null;
  const share = (from: number, to: number): number => Math.min(1, rise(from, to) / 1e6 / durationMs);
  return {
    some: share(before.some.totalNs, after.some.totalNs),
    full: before.full && after.full ? share(before.full.totalNs, after.full.totalNs) : 0,
  };
}

function usedCores(before: CpuStat | null, after: CpuStat | null, durationMs: number): number {
  return before && after ? rise(before.usageNs, after.usageNs) / 1e6 / durationMs : 0;
}

function throttledShare(before: CpuStat | null, after: CpuStat | null): number {
  if (!before || !after) return 0;
  const periods = rise(before.nrPeriods, after.nrPeriods);
  return periods === 0 ? 0 : Math.min(1, rise(before.nrThrottled, after.nrThrottled) / periods);
}

/** A counter that fell belongs to a new cgroup of the same name: no rise is known. */
function rise(before: number, after: number): number {
  return Math.max(0, after - before);
}
