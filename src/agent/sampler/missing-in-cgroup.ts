/** What a container's cgroup does not tell, as fields of windows, and why. Pure. */
import type { MissingFile } from '../../host/index.ts';
import type { MissingSignals } from './types.ts';

/** What is read of a cgroup, by the kernel's name, and the fields of `SignalWindow.cgroup` that come of it. */
const fieldsOfFile: Readonly<Record<string, readonly string[]>> = {
  'cpu.max': ['cpuLimitCores'],
  'cpu.pressure': ['cpuPressure'],
  'cpu.stat': ['cpuUsedCores', 'throttledShare', 'throttledNs'],
  'io.pressure': ['ioPressure'],
  'memory.current': ['memoryCurrentBytes', 'workingSetBytes'],
  'memory.events': ['events', 'oomKills'],
  'memory.events high': ['events.high'],
  'memory.events low': ['events.low'],
  'memory.events oom': ['events.oom'],
  'memory.events.local': ['eventsLocal'],
  '../memory.events.local': ['podMaxEvents'],
  'memory.high': ['memoryHighBytes'],
  'memory.max': ['memoryLimitBytes'],
  'memory.peak': ['memoryPeakBytes'],
  'memory.pressure': ['memoryPressure', 'memoryPressureAverages'],
  'memory.stat': ['workingSetBytes', 'anonBytes', 'fileBytes', 'reclaim'],
  'memory.stat pgscan': ['reclaim.pagesScannedPerSecond'],
  'memory.stat pgsteal': ['reclaim.pagesStolenPerSecond'],
  'memory.swap.current': ['swapBytes'],
  'memory.swap.max': ['swapLimitBytes'],
  // cgroup v1
  'cpu.cfs_period_us': ['cpuLimitCores'],
  'cpu.cfs_quota_us': ['cpuLimitCores'],
  'cpuacct.usage': ['cpuUsedCores', 'throttledShare', 'throttledNs'],
  'memory.failcnt': ['events', 'oomKills'],
  '../memory.failcnt': ['podMaxEvents'],
  'memory.limit_in_bytes': ['memoryLimitBytes'],
  'memory.max_usage_in_bytes': ['memoryPeakBytes'],
  'memory.memsw.limit_in_bytes': ['swapLimitBytes'],
  'memory.memsw.usage_in_bytes': ['swapBytes'],
  'memory.oom_control': ['events', 'oomKills'],
  'memory.usage_in_bytes': ['memoryCurrentBytes', 'workingSetBytes'],
};

type Why = Pick<MissingSignals, 'reason'> & { readonly sentence: (files: string) => string };

const inV1: Why = {
  reason: 'CGROUP_V1',
  sentence: (files) => `cgroup v1 does not tell ${files}: boot the node with the unified hierarchy (cgroup v2)`,
};
const noPsi: Why = {
  reason: 'NO_PSI',
  sentence: (files) =>
    `the kernel tells no pressure of this cgroup, ${files}: it needs CONFIG_PSI, psi=1 and cgroup v2`,
};
const noFile: Why = {
  reason: 'NO_CGROUP_FILE',
  sentence: (files) => `the kernel does not tell ${files}: the controller may be switched off for this cgroup`,
};
const isAbsent: ReadonlySet<string> = new Set(['ENOENT', 'EOPNOTSUPP', 'no such hierarchy']);

function whyOf({ name, problem }: MissingFile): Why {
  if (problem === 'not in cgroup v1') return inV1;
  return name.endsWith('.pressure') && isAbsent.has(problem) ? noPsi : noFile;
}

/** One entry for each reason. */
export function missingInCgroup(files: readonly MissingFile[]): MissingSignals[] {
  return [inV1, noPsi, noFile].flatMap((why) => {
    const ours = files.filter((file) => whyOf(file) === why);
    if (ours.length === 0) return [];
    const signals = ours.flatMap(({ name }) => (fieldsOfFile[name] ?? [name]).map((field) => `cgroup.${field}`));
    const named = ours.map(({ name, problem }) => (why === inV1 ? name : `${name} (${problem})`)).join(', ');
    return [{ signals: [...new Set(signals)], reason: why.reason, message: why.sentence(named) }];
  });
}

/** The whole of it. */
export const noCgroup: readonly MissingSignals[] = [
  {
    signals: ['cgroup'],
    reason: 'NO_CGROUP',
    message: 'no directory of its cgroup was found: mount the cgroup file system of the node',
  },
];
