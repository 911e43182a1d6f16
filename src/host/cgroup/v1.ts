import { existsSync } from 'node:fs';
import { parsePressure } from '../psi.ts';
import type { CgroupReader, CgroupSample, CpuStat, MemoryEvents } from '../types.ts';
import { SampleFiles } from './files.ts';
import { parseCount, parseKeyed, parseLimitV1, parseMemoryStatV1 } from './parse.ts';
import { workingSetBytes } from './working-set.ts';

/** One container's directories in the v1 hierarchies; `unified` is its v2 twin on hybrid machines, where only PSI lives. */
export interface DirectoriesV1 {
  readonly memory: string | null;
  readonly cpu: string | null;
  readonly cpuacct: string | null;
  readonly unified: string | null;
}

/** Reads the v1 controllers (Documentation/admin-guide/cgroup-v1), and PSI from the unified hierarchy where there is one. */
export function openCgroupV1(directories: DirectoriesV1): CgroupReader {
  const present = directories.memory ?? directories.cpu ?? directories.cpuacct ?? directories.unified;
  return {
    version: 'v1',
    pressureDirectory: directories.unified,
    read() {
      const files = new SampleFiles();
      const memory = <T>(file: string, parse: (text: string) => T | undefined): T | null =>
        files.read(directories.memory, file, parse);
      const pressure = (file: string) => files.read(directories.unified, file, parsePressure);
      const memoryCurrentBytes = memory('memory.usage_in_bytes', parseCount);
      const stat = memory('memory.stat', parseMemoryStatV1);
      const sample: CgroupSample = {
        version: 'v1',
        memoryCurrentBytes,
        memoryWorkingSetBytes: workingSetBytes(memoryCurrentBytes, stat),
        memoryLimitBytes: memory('memory.limit_in_bytes', parseLimitV1)?.value ?? null,
        memoryHighBytes: files.lacks('memory.high', 'not in cgroup v1'),
        memoryPeakBytes: memory('memory.max_usage_in_bytes', parseCount),
        events: readEvents(files, directories),
        stat,
        cpu: readCpu(files, directories),
        cpuLimitCores: readCpuLimit(files, directories),
        pressure: { memory: pressure('memory.pressure'), cpu: pressure('cpu.pressure'), io: pressure('io.pressure') },
        missing: files.missing,
      };
      return present !== null && existsSync(present) ? sample : undefined;
    },
  };
}

function readEvents(files: SampleFiles, { memory }: DirectoriesV1): MemoryEvents | null {
  const max = files.read(memory, 'memory.failcnt', parseCount);
  const oomKill = files.read(memory, 'memory.oom_control', (text) => parseKeyed(text).get('oom_kill'));
  return max === null || oomKill === null ? null : { high: null, max, oom: null, oomKill };
}

function readCpu(files: SampleFiles, { cpu, cpuacct }: DirectoriesV1): CpuStat | null {
  const usageNs = files.read(cpuacct, 'cpuacct.usage', parseCount);
  const bandwidth = files.read(cpu, 'cpu.stat', (text) => {
    const values = parseKeyed(text);
    return values.has('nr_periods') ? values : undefined;
  });
  if (usageNs === null || bandwidth === null) return null;
  return {
    usageNs,
    nrPeriods: bandwidth.get('nr_periods') ?? 0,
    nrThrottled: bandwidth.get('nr_throttled') ?? 0,
    throttledNs: bandwidth.get('throttled_time') ?? 0,
  };
}

/** Quota −1 means no limit. */
function readCpuLimit(files: SampleFiles, { cpu }: DirectoriesV1): number | null {
  const quotaUs = files.read(cpu, 'cpu.cfs_quota_us', (text) => (text.trim() === '-1' ? -1 : parseCount(text)));
  const periodUs = files.read(cpu, 'cpu.cfs_period_us', parseCount);
  return quotaUs === null || periodUs === null || quotaUs < 0 || periodUs === 0 ? null : quotaUs / periodUs;
}
