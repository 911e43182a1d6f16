/** Figures of a real cgroup against a plain read of its files, while a process of ours is driven into its limit. */
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, readlinkSync, rmdirSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keptFileBudget } from '../descriptor-budget.ts';
import { openNodePressure } from '../node-pressure.ts';
import { cgroupRoot, isHybrid, isV2, missingCgroups, Thrasher } from '../testing/thrash.ts';
import type { CgroupMembership, CgroupSample } from '../types.ts';
import { openCgroup } from './index.ts';

const because = missingCgroups === undefined ? '' : ` (skipped: ${missingCgroups})`;

const hierarchies = isHybrid ? ['memory', 'cpu', 'cpuacct', 'unified'] : [''];
const group = `robotgc-test-figures-${process.pid}`;
const folderOf = (hierarchy: string, name: string): string =>
  [cgroupRoot, hierarchy, group, name].filter((part) => part !== '').join('/');
const membershipsOf = (name: string): CgroupMembership[] =>
  isHybrid
    ? [
        ...['memory', 'cpu', 'cpuacct'].map((c, i) => ({
          hierarchy: i + 1,
          controllers: [c],
          path: `/${group}/${name}`,
        })),
        { hierarchy: 0, controllers: [], path: `/${group}/${name}` },
      ]
    : [{ hierarchy: 0, controllers: [], path: `/${group}/${name}` }];
const make = (name: string): void => {
  for (const hierarchy of hierarchies) mkdirSync(folderOf(hierarchy, name));
};
const remove = (name: string): void => {
  for (const hierarchy of hierarchies) rmdirSync(folderOf(hierarchy, name));
};

/** A number of a file, in another way than the reader's. */
function plain(hierarchy: string, file: string, key?: string): number {
  const text = readFileSync(`${folderOf(hierarchy, 'busy')}/${file}`, 'utf8');
  if (key === undefined) return Number(text);
  for (const line of text.split('\n')) if (line.startsWith(`${key} `)) return Number(line.split(' ')[1]);
  throw new Error(`no ${key} in ${file}`);
}
const totalUs = (file: string, line: string): number =>
  Number(
    readFileSync(`${folderOf(isHybrid ? 'unified' : '', 'busy')}/${file}`, 'utf8')
      .split('\n')
      .find((each) => each.startsWith(line))
      ?.split('total=')[1],
  );

type Figure = readonly [name: string, of: (sample: CgroupSample) => number | null | undefined, plainly: () => number];
const v1Figures: readonly Figure[] = [
  ['use', (s) => s.memoryCurrentBytes, () => plain('memory', 'memory.usage_in_bytes')],
  ['limit', (s) => s.memoryLimitBytes, () => plain('memory', 'memory.limit_in_bytes')],
  ['peak', (s) => s.memoryPeakBytes, () => plain('memory', 'memory.max_usage_in_bytes')],
  ['limit hits', (s) => s.events?.max, () => plain('memory', 'memory.failcnt')],
  ['OOM kills', (s) => s.events?.oomKill, () => plain('memory', 'memory.oom_control', 'oom_kill')],
  ['anon', (s) => s.stat?.anonBytes, () => plain('memory', 'memory.stat', 'total_rss')],
  ['file', (s) => s.stat?.fileBytes, () => plain('memory', 'memory.stat', 'total_cache')],
  ['inactive file', (s) => s.stat?.inactiveFileBytes, () => plain('memory', 'memory.stat', 'total_inactive_file')],
  ['major faults', (s) => s.stat?.majorFaults, () => plain('memory', 'memory.stat', 'total_pgmajfault')],
  ['refaults', (s) => s.stat?.refaultsFile, () => plain('memory', 'memory.stat', 'total_workingset_refault_file')],
  ['periods', (s) => s.cpu?.nrPeriods, () => plain('cpu', 'cpu.stat', 'nr_periods')],
  ['throttled', (s) => s.cpu?.throttledNs, () => plain('cpu', 'cpu.stat', 'throttled_time')],
  ['CPU time', (s) => s.cpu?.usageNs, () => plain('cpuacct', 'cpuacct.usage')],
];
const v2Figures: readonly Figure[] = [
  ['use', (s) => s.memoryCurrentBytes, () => plain('', 'memory.current')],
  ['limit', (s) => s.memoryLimitBytes, () => plain('', 'memory.max')],
  ['peak', (s) => s.memoryPeakBytes, () => plain('', 'memory.peak')],
  ['swap', (s) => s.swapBytes, () => plain('', 'memory.swap.current')],
  ['limit hits', (s) => s.events?.max, () => plain('', 'memory.events', 'max')],
  ['local limit hits', (s) => s.eventsLocal?.max, () => plain('', 'memory.events.local', 'max')],
  ['OOM kills', (s) => s.events?.oomKill, () => plain('', 'memory.events', 'oom_kill')],
  ['anon', (s) => s.stat?.anonBytes, () => plain('', 'memory.stat', 'anon')],
  ['file', (s) => s.stat?.fileBytes, () => plain('', 'memory.stat', 'file')],
  ['scanned', (s) => s.stat?.pagesScanned, () => plain('', 'memory.stat', 'pgscan')],
  ['stolen', (s) => s.stat?.pagesStolen, () => plain('', 'memory.stat', 'pgsteal')],
  ['major faults', (s) => s.stat?.majorFaults, () => plain('', 'memory.stat', 'pgmajfault')],
  ['refaults', (s) => s.stat?.refaultsFile, () => plain('', 'memory.stat', 'workingset_refault_file')],
  ['throttled', (s) => s.cpu?.throttledNs, () => plain('', 'cpu.stat', 'throttled_usec') * 1000],
  ['CPU time', (s) => s.cpu?.usageNs, () => plain('', 'cpu.stat', 'usage_usec') * 1000],
];
const pressureFigures: readonly Figure[] = (['memory', 'cpu', 'io'] as const).flatMap((resource): Figure[] => [
  [`${resource} some`, (s) => s.pressure[resource]?.some.totalNs, () => totalUs(`${resource}.pressure`, 'some') * 1000],
  [
    `${resource} full`,
    (s) => s.pressure[resource]?.full?.totalNs,
    () => totalUs(`${resource}.pressure`, 'full') * 1000,
  ],
]);
/** What a process that reads more than its limit holds, on a part of a processor, makes rise. */
const rises = ['limit hits', 'refaults', 'memory some', 'throttled', 'CPU time'];
/** An emulated processor takes its time. */
const waiting = { timeout: 60_000, interval: 20 };
const figures = [...(isHybrid ? v1Figures : v2Figures), ...pressureFigures];

describe.skipIf(missingCgroups !== undefined)(`figures of a cgroup${because}`, () => {
  beforeAll(() => {
    for (const hierarchy of hierarchies) mkdirSync([cgroupRoot, hierarchy, group].filter((p) => p !== '').join('/'));
    if (isV2) {
      writeFileSync(`${cgroupRoot}/cgroup.subtree_control`, '+memory +cpu');
      writeFileSync(`${cgroupRoot}/${group}/cgroup.subtree_control`, '+memory +cpu');
    }
    make('busy');
    const limitFile = isHybrid
      ? `${folderOf('memory', 'busy')}/memory.limit_in_bytes`
      : `${folderOf('', 'busy')}/memory.max`;
    writeFileSync(limitFile, String(64 << 20));
    if (isHybrid) writeFileSync(`${folderOf('cpu', 'busy')}/cpu.cfs_quota_us`, '30000');
    else writeFileSync(`${folderOf('', 'busy')}/cpu.max`, '30000 100000');
  });
  afterAll(() => {
    remove('busy');
    for (const hierarchy of hierarchies) rmdirSync([cgroupRoot, hierarchy, group].filter((p) => p !== '').join('/'));
  });

  it('are those of the files, while the process runs and once it stands still', async () => {
    await using child = await Thrasher.start(`/var/tmp/${group}`);
    for (const hierarchy of hierarchies)
      writeFileSync(`${folderOf(hierarchy, 'busy')}/cgroup.procs`, String(child.pid));
    using reader = openCgroup(membershipsOf('busy'));
    const calm = reader?.read('tick');
    child.begin();

    // Running: a figure that only rises lies between plain reads before and after it.
    const rising = figures.filter(
      ([name]) => !['use', 'limit', 'anon', 'file', 'inactive file', 'swap'].includes(name),
    );
    for (let tick = 0; tick < 8; tick++) {
      await sleep(250);
      const before = rising.map(([, , plainly]) => plainly());
      const sample = reader?.read();
      const after = rising.map(([, , plainly]) => plainly());
      for (const [index, [name, of]] of rising.entries()) {
        const value = sample && of(sample);
        expect(value, name).toBeGreaterThanOrEqual(before[index] ?? Number.NaN);
        expect(value, name).toBeLessThanOrEqual(after[index] ?? Number.NaN);
      }
    }
    // Memory stirs, so each tick reads the slow files too.
    const first = reader?.read('tick');
    const stalledUs = totalUs('memory.pressure', 'some');
    await expect.poll(() => totalUs('memory.pressure', 'some'), waiting).toBeGreaterThan(stalledUs);
    const second = reader?.read('tick');
    expect(second?.slowAtMs).toBeGreaterThan(first?.slowAtMs ?? Number.NaN);

    const rose = figures.filter(([name]) => rises.includes(name));
    for (const [name, of, plainly] of rose)
      await expect.poll(plainly, { ...waiting, message: name }).toBeGreaterThan((calm && of(calm)) ?? Number.NaN);
    child.standStill();
    await sleep(1500);
    const still = reader?.read();
    for (const [name, of, plainly] of figures) expect(still && of(still), name).toBe(plainly());
    for (const [name, of] of rose)
      expect(still && of(still), `${name} rose`).toBeGreaterThan((calm && of(calm)) ?? Number.NaN);
    expect(still?.missing.filter(({ problem }) => problem !== 'not in cgroup v1')).toEqual([]);
  }, 150_000);

  it('keep their files open until the cgroup has gone, then give every descriptor back', () => {
    const openOnes = (): number =>
      readdirSync('/proc/self/fd').filter((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`).includes(`${group}/brief`);
        } catch {
          return false;
        }
      }).length;
    make('brief');
    const taken = keptFileBudget.taken;
    using reader = openCgroup(membershipsOf('brief'));
    expect(reader?.read('tick')).toBeDefined();
    expect(openOnes()).toBeGreaterThan(10);
    expect(keptFileBudget.taken).toBe(taken + openOnes());
    remove('brief');
    expect(reader?.read('tick')).toBeUndefined();
    expect(openOnes()).toBe(0);
    expect(keptFileBudget.taken).toBe(taken);
    // Another cgroup of that name is not the one that was opened.
    make('brief');
    expect(reader?.read()).toBeUndefined();
    remove('brief');
  });

  it('tell the hits of the limit of a pod that a single container meets, which its own counts leave out', async () => {
    const pod = 'pod0f9c2b6e-3d1a-4c5b-9e8f-7a6b5c4d3e2f';
    const [container, sandbox] = [`${pod}/robot`, `${pod}/sandbox`];
    make(pod);
    if (isV2) writeFileSync(`${folderOf('', pod)}/cgroup.subtree_control`, '+memory');
    for (const name of [container, sandbox]) make(name);
    const memory = isHybrid ? 'memory' : '';
    for (const name of [pod, container])
      writeFileSync(`${folderOf(memory, name)}/${isHybrid ? 'memory.limit_in_bytes' : 'memory.max'}`, String(64 << 20));
    // Holds more than what the kernel charges in one go: else the container may be the first to meet its limit.
    const hold = 'echo $$ > "$0"; x=$(head -c 8000000 /dev/zero | tr "\\0" x); read -r line';
    const holder = spawn('sh', ['-c', hold, `${folderOf(memory, sandbox)}/cgroup.procs`]);
    try {
      const held = () =>
        Number(
          readFileSync(`${folderOf(memory, sandbox)}/${isHybrid ? 'memory.usage_in_bytes' : 'memory.current'}`, 'utf8'),
        );
      await expect.poll(held, waiting).toBeGreaterThan(8_000_000);
      await using child = await Thrasher.start(`/var/tmp/${group}`);
      for (const hierarchy of hierarchies)
        writeFileSync(`${folderOf(hierarchy, container)}/cgroup.procs`, String(child.pid));
      using reader = openCgroup(membershipsOf(container));
      expect(reader?.read()?.podMaxEvents).toBe(0);
      child.begin();
      await expect.poll(() => reader?.read('tick')?.podMaxEvents, waiting).toBeGreaterThan(100);
      child.standStill();
      await sleep(500);
      const kernels = (name: string): number => {
        if (isHybrid) return Number(readFileSync(`${folderOf(memory, name)}/memory.failcnt`, 'utf8'));
        const text = readFileSync(`${folderOf('', name)}/memory.events.local`, 'utf8');
        return Number(/^max (\d+)$/m.exec(text)?.[1]);
      };
      // Not even a stopped program stands still at once on emulated processors: read between two looks of the kernel's own.
      const atLeast = [kernels(pod), kernels(container)];
      const still = reader?.read();
      const atMost = [kernels(pod), kernels(container)];
      for (const [i, count] of [still?.podMaxEvents, still?.events?.max].entries()) {
        expect(count).toBeGreaterThanOrEqual(atLeast[i] ?? Number.NaN);
        expect(count).toBeLessThanOrEqual(atMost[i] ?? Number.NaN);
      }
      expect(still?.events?.max).toBeLessThan((still?.podMaxEvents ?? 0) / 10);
    } finally {
      holder.kill('SIGKILL');
      await new Promise((resolve) => holder.once('exit', resolve));
      for (const name of [container, sandbox, pod]) remove(name);
    }
  }, 150_000);

  it('of the node stand in /proc/pressure', () => {
    using node = openNodePressure();
    const read = node.read();
    for (const resource of ['memory', 'cpu', 'io'] as const) {
      const text = readFileSync(`/proc/pressure/${resource}`, 'utf8');
      const totalNs = Number(text.split('\n')[0]?.split('total=')[1]) * 1000;
      expect(read[resource]?.some.totalNs, resource).toBeLessThanOrEqual(totalNs);
      expect(read[resource]?.some.totalNs, resource).toBeGreaterThan(totalNs - 1e9);
    }
  });
});
