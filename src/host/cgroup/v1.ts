import { parsePressure } from '../psi.ts';
import type { CgroupReader, CpuStat, MemoryEvents, MissingFile } from '../types.ts';
import { CgroupFiles } from './files.ts';
import { parseCount, parseCpuStatV1, parseLimitV1, parseMemoryStatV1, parseOomKillV1, parseQuotaV1 } from './parse.ts';
import { inPod } from './pod.ts';
import { cgroupReader } from './reader.ts';
import { workingSetBytes } from './working-set.ts';

/** One container's directories in the v1 hierarchies; `unified` is its v2 twin on hybrid machines, where only PSI lives. */
export interface DirectoriesV1 {
  readonly memory: string | null;
  readonly cpu: string | null;
  readonly cpuacct: string | null;
  readonly unified: string | null;
}

/** What cgroup v1 has no file for (Documentation/admin-guide/cgroup-v1/memory.rst). */
const notInV1: readonly MissingFile[] = [
  'memory.high',
  'memory.events low',
  'memory.events high',
  'memory.events oom',
  'memory.events.local',
  'memory.stat pgscan',
  'memory.stat pgsteal',
].map((name) => ({ name, problem: 'not in cgroup v1' }));

/** Reads the v1 controllers (Documentation/admin-guide/cgroup-v1), and PSI from the unified hierarchy where there is one. */
export function openCgroupV1(directories: DirectoriesV1): CgroupReader {
  const { unified } = directories;
  const files = new CgroupFiles(notInV1);
  const memory = <T>(name: string, parse: (text: string) => T | undefined) =>
    files.add(directories.memory, name, parse);
  const usage = memory('memory.usage_in_bytes', parseCount);
  const limit = memory('memory.limit_in_bytes', parseLimitV1);
  const peak = memory('memory.max_usage_in_bytes', parseCount);
  const withSwap = memory('memory.memsw.usage_in_bytes', parseCount);
  const withSwapLimit = memory('memory.memsw.limit_in_bytes', parseLimitV1);
  const failures = memory('memory.failcnt', parseCount);
  const podName = inPod(directories.memory, 'memory.failcnt');
  const podFailures = podName === undefined ? [] : [memory(podName, parseCount)];
  const oomKills = memory('memory.oom_control', parseOomKillV1);
  const stat = memory('memory.stat', parseMemoryStatV1);
  const cpuUsage = files.add(directories.cpuacct, 'cpuacct.usage', parseCount);
  const throttling = files.add(directories.cpu, 'cpu.stat', parseCpuStatV1);
  const quotaUs = files.add(directories.cpu, 'cpu.cfs_quota_us', parseQuotaV1);
  const periodUs = files.add(directories.cpu, 'cpu.cfs_period_us', parseCount);
  const memoryPressure = files.add(unified, 'memory.pressure', parsePressure);
  const cpuPressure = files.add(unified, 'cpu.pressure', parsePressure);
  const ioPressure = files.add(unified, 'io.pressure', parsePressure);
  return cgroupReader({
    version: 'v1',
    pressureDirectory: unified,
    directory: directories.memory ?? directories.cpu ?? directories.cpuacct ?? unified ?? '/',
    files,
    paced: {
      eachTick: [usage, limit, cpuUsage],
      unlessCalm: [failures, ...podFailures, oomKills, memoryPressure],
      whenMoved: [stat, withSwap, peak, cpuPressure, ioPressure],
      seldom: [withSwapLimit, quotaUs, periodUs],
    },
    limit,
    pressure: memoryPressure,
    events: [failures, ...podFailures, oomKills],
    // Without a quota nothing is throttled.
    further: (extent) => (extent === 'whole' || (quotaUs.value?.value ?? null) !== null ? [throttling] : []),
    sample: () => ({
      memoryCurrentBytes: usage.value,
      memoryWorkingSetBytes: workingSetBytes(usage.value, stat.value),
      memoryLimitBytes: limit.value?.value ?? null,
      memoryHighBytes: null,
      memoryPeakBytes: peak.value,
      swapBytes: above(withSwap.value, usage.value),
      swapLimitBytes: above(withSwapLimit.value?.value ?? null, limit.value?.value ?? null),
      events: eventsOf(failures.value, oomKills.value),
      eventsLocal: null,
      podMaxEvents: podFailures[0]?.value ?? null,
      stat: stat.value,
      cpu: cpuOf(cpuUsage.value, throttling.value),
      cpuLimitCores: coresOf(quotaUs.value?.value ?? null, periodUs.value),
      pressure: { memory: memoryPressure.value, cpu: cpuPressure.value, io: ioPressure.value },
    }),
  });
}

/** v1 counts memory and swap together (memory.memsw): what is beyond memory is swap. The two are not read in one moment. */
function above(memoryAndSwap: number | null, memory: number | null): number | null {
  return memoryAndSwap === null || memory === null ? null : Math.max(0, memoryAndSwap - memory);
}

function eventsOf(max: number | null, oomKill: number | null): MemoryEvents | null {
  return max === null || oomKill === null
    ? null
    : { low: null, high: null, max, oom: null, oomKill, oomGroupKill: null };
}

function cpuOf(usageNs: number | null, throttling: Omit<CpuStat, 'usageNs'> | null): CpuStat | null {
  return usageNs === null || throttling === null ? null : { usageNs, ...throttling };
}

function coresOf(quotaUs: number | null, periodUs: number | null): number | null {
  return quotaUs === null || periodUs === null || periodUs === 0 ? null : quotaUs / periodUs;
}
