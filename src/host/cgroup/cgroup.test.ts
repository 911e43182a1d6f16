import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CgroupMembership } from '../types.ts';
import { openCgroup } from './index.ts';
import { locate } from './locate.ts';

const pod = 'pod0f9c2b6e-3d1a-4c5b-9e8f-7a6b5c4d3e2f';
const container = `${pod}/${'a'.repeat(64)}`;
const pressure = 'some avg10=10.00 avg60=0.00 avg300=0.00 total=1\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'robotgc-cgroup-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function write(files: Record<string, string>): void {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
}

const v2 = (path: string): CgroupMembership => ({ hierarchy: 0, controllers: [], path });
const v1 = (hierarchy: number, controllers: string[], path: string): CgroupMembership => ({
  hierarchy,
  controllers,
  path,
});

describe('unified hierarchy', () => {
  const path = `/kubepods/burstable/${container}`;
  const at = (file: string): string => `${path.slice(1)}/${file}`;

  it('reads everything', () => {
    write({
      'cgroup.controllers': 'cpu memory\n',
      [at('memory.current')]: '1000\n',
      [at('memory.max')]: '5000\n',
      [at('memory.high')]: 'max\n',
      [at('memory.peak')]: '2000\n',
      [at('memory.stat')]:
        'anon 600\nfile 300\ninactive_file 250\npgmajfault 1\nworkingset_refault_anon 2\nworkingset_refault_file 3\npgscan 8\npgsteal 9\n',
      [at('memory.swap.current')]: '70\n',
      [at('memory.swap.max')]: '0\n',
      [at('memory.events')]: 'low 0\nhigh 0\nmax 4\noom 1\noom_kill 1\n',
      [at('memory.events.local')]: 'low 0\nhigh 0\nmax 3\noom 0\noom_kill 0\n',
      [at('../memory.events.local')]: 'low 0\nhigh 0\nmax 6\noom 0\noom_kill 0\n',
      [at('cpu.stat')]: 'usage_usec 5\nnr_periods 2\nnr_throttled 1\nthrottled_usec 3\n',
      [at('cpu.max')]: '150000 100000\n',
      [at('memory.pressure')]: pressure,
      [at('cpu.pressure')]: pressure,
      [at('io.pressure')]: pressure,
    });
    const reader = openCgroup([v2(path)], root);
    expect(reader?.pressureDirectory).toBe(join(root, path));
    expect(reader?.read()).toEqual({
      version: 'v2',
      memoryCurrentBytes: 1000,
      memoryWorkingSetBytes: 750,
      memoryLimitBytes: 5000,
      memoryHighBytes: null,
      memoryPeakBytes: 2000,
      swapBytes: 70,
      swapLimitBytes: 0,
      events: { low: 0, high: 0, max: 4, oom: 1, oomKill: 1, oomGroupKill: null },
      eventsLocal: { low: 0, high: 0, max: 3, oom: 0, oomKill: 0, oomGroupKill: null },
      podMaxEvents: 6,
      stat: {
        anonBytes: 600,
        fileBytes: 300,
        inactiveFileBytes: 250,
        majorFaults: 1,
        refaultsAnon: 2,
        refaultsFile: 3,
        pagesScanned: 8,
        pagesStolen: 9,
      },
      slowAtMs: expect.any(Number),
      cpu: { usageNs: 5000, nrPeriods: 2, nrThrottled: 1, throttledNs: 3000 },
      cpuLimitCores: 1.5,
      pressure: {
        memory: expect.objectContaining({ some: { avg10: 0.1, avg60: 0, avg300: 0, totalNs: 1000 } }),
        cpu: expect.anything(),
        io: expect.anything(),
      },
      missing: [],
    });
  });

  it('at each tick reads what moves; the slow files every fifth time, or when memory moved', () => {
    const stat = (scanned: number): string => `anon 600\nfile 300\ninactive_file 250\npgscan ${scanned}\n`;
    const events = (oomKill: number): string => `low 0\nhigh 0\nmax 4\noom 1\noom_kill ${oomKill}\n`;
    write({
      'cgroup.controllers': 'memory\n',
      [at('memory.current')]: '1000\n',
      [at('memory.max')]: '5000\n',
      [at('memory.high')]: 'max\n',
      [at('memory.peak')]: '1000\n',
      [at('memory.stat')]: stat(1),
      [at('memory.events')]: events(0),
      [at('memory.events.local')]: events(0),
      [at('memory.pressure')]: pressure,
    });
    using reader = openCgroup([v2(path)], root);
    const scanned = (): number | null | undefined => reader?.read('tick')?.stat?.pagesScanned;
    expect(scanned()).toBe(1);
    write({ [at('memory.stat')]: stat(2), [at('memory.max')]: '6000\n', [at('memory.current')]: '1001\n' });
    const next = [0, 1, 2, 3, 4].map(() => reader?.read('tick'));
    expect(next.every((sample) => sample?.memoryLimitBytes === 6000 && sample.memoryCurrentBytes === 1001)).toBe(true);
    expect(next.filter((sample) => sample?.slowAtMs !== next.at(-1)?.slowAtMs).length).toBeLessThan(5);
    expect(next.at(-1)?.stat?.pagesScanned).toBe(2);
    for (let quiet = 0; quiet < 5; quiet++) {
      // Whatever the turn: pressure or an event brings the slow figures at once.
      write({ [at('memory.stat')]: stat(10 + quiet), [at('memory.events')]: events(quiet + 1) });
      write({ [at('memory.events.local')]: events(quiet), [at('memory.peak')]: `${2000 + quiet}\n` });
      expect(reader?.read('tick')).toMatchObject({
        stat: { pagesScanned: 10 + quiet },
        eventsLocal: { oomKill: quiet },
        memoryPeakBytes: 2000 + quiet,
      });
    }
    write({ [at('memory.stat')]: stat(99), [at('memory.high')]: '4000\n' });
    expect(reader?.read()).toMatchObject({ stat: { pagesScanned: 99 }, memoryHighBytes: 4000 });
  });

  it('a memory.high that was set just now is shown in the window in which it is first exceeded', () => {
    const events = (high: number): string => `low 0\nhigh ${high}\nmax 0\noom 0\noom_kill 0\n`;
    write({
      'cgroup.controllers': 'memory\n',
      [at('memory.current')]: '1000\n',
      [at('memory.max')]: 'max\n',
      [at('memory.high')]: 'max\n',
      [at('memory.events')]: events(0),
    });
    using reader = openCgroup([v2(path)], root);
    reader?.read('tick');
    for (let exceeded = 1; exceeded < 20; exceeded++) {
      write({ [at('memory.high')]: `${4000 + exceeded}\n`, [at('memory.events')]: events(exceeded) });
      expect(reader?.read('tick')).toMatchObject({ memoryHighBytes: 4000 + exceeded, events: { high: exceeded } });
    }
  });

  it('at a calm tick leaves out what moves only while tasks wait for memory, but not after the limit was changed', () => {
    const events = (oomKill: number): string => `low 0\nhigh 0\nmax 4\noom 1\noom_kill ${oomKill}\n`;
    write({
      'cgroup.controllers': 'memory\n',
      [at('memory.max')]: '5000\n',
      [at('memory.events')]: events(0),
      [at('memory.events.local')]: events(0),
    });
    using reader = openCgroup([v2(path)], root);
    const killed = () => {
      const sample = reader?.read('calm');
      return { shown: sample?.events?.oomKill, local: sample?.eventsLocal?.oomKill };
    };
    killed();
    killed();
    // Lowered below its use: whoever wrote that has killed for it.
    for (let kills = 1; kills < 12; kills++) {
      write({ [at('memory.max')]: `${4000 - kills}\n`, [at('memory.events')]: events(kills) });
      write({ [at('memory.events.local')]: events(kills) });
      expect(killed()).toEqual({ shown: kills, local: kills });
    }
    // Nothing has changed any more: the file is left alone but at every fifth tick.
    killed();
    write({ [at('memory.events')]: events(99) });
    const shown = [0, 1, 2, 3, 4, 5].map(() => killed().shown);
    expect(shown.at(-1)).toBe(99);
    expect(shown[0] === 11 || shown[1] === 11 || shown[2] === 11).toBe(true);
  });

  it('names what is missing, and tells it from "no limit"', () => {
    write({
      'cgroup.controllers': '',
      [at('memory.max')]: 'max\n',
      [at('memory.high')]: 'nonsense\n',
      [at('cpu.stat')]: 'usage_usec 5\n',
    });
    const sample = openCgroup([v2(path)], root)?.read();
    expect(sample).toMatchObject({
      memoryLimitBytes: null,
      memoryHighBytes: null,
      memoryCurrentBytes: null,
      memoryWorkingSetBytes: null,
    });
    expect(sample?.missing).toContainEqual({ name: 'memory.high', problem: 'not understood' });
    expect(sample?.missing).toContainEqual({ name: 'memory.current', problem: 'ENOENT' });
    expect(sample?.missing.map(({ name }) => name)).not.toContain('memory.max');
  });

  it.each([
    [`/kubepods.slice/kubepods-pod${'0f9c2b6e_3d1a_4c5b_9e8f_7a6b5c4d3e2f'}.slice/cri-${'a'.repeat(64)}.scope`, 7],
    [`/system.slice/robot.service`, null],
    [`/podman-shared/robot`, null],
  ])('of %s the hits of the limit around it are those of a pod, or nobody’s: %s', (of, hits) => {
    const counts = 'low 0\nhigh 0\nmax 7\noom 0\noom_kill 0\n';
    write({
      'cgroup.controllers': 'memory\n',
      [`${of}/memory.max`]: '5000\n',
      [`${of}/../memory.events.local`]: counts,
    });
    using reader = openCgroup([v2(of)], root);
    const sample = reader?.read();
    expect(sample?.podMaxEvents).toBe(hits);
    expect(sample?.missing.map(({ name }) => name)).not.toContain('../memory.events.local');
  });

  it('is undefined once the cgroup has gone', () => {
    write({ 'cgroup.controllers': '', [at('memory.max')]: 'max\n' });
    const reader = openCgroup([v2(path)], root);
    rmSync(join(root, path), { recursive: true });
    expect(reader?.read()).toBeUndefined();
    expect(openCgroup([v2(path)], root)).toBeUndefined();
  });
});

describe('v1 controllers', () => {
  const path = `/kubepods/burstable/${container}`;

  it('follows each controller to its own hierarchy, also where two share one', () => {
    write({
      [`memory${path}/memory.usage_in_bytes`]: '1000\n',
      [`memory${path}/memory.limit_in_bytes`]: '5000\n',
      [`memory${path}/memory.memsw.usage_in_bytes`]: '1300\n',
      [`memory${path}/memory.memsw.limit_in_bytes`]: '5000\n',
      [`memory${path}/memory.failcnt`]: '12\n',
      [`memory/kubepods/burstable/${pod}/memory.failcnt`]: '34\n',
      [`memory${path}/memory.oom_control`]: 'oom_kill_disable 0\nunder_oom 0\noom_kill 2\n',
      [`memory${path}/memory.stat`]: 'cache 300\nrss 600\ntotal_cache 300\ntotal_rss 600\ntotal_pgmajfault 4\n',
      [`cpu,cpuacct${path}/cpu.stat`]: 'nr_periods 2\nnr_throttled 1\nthrottled_time 3\n',
      [`cpu,cpuacct${path}/cpuacct.usage`]: '77\n',
      [`cpu,cpuacct${path}/cpu.cfs_quota_us`]: '-1\n',
      [`cpu,cpuacct${path}/cpu.cfs_period_us`]: '100000\n',
      [`unified${path}/memory.pressure`]: pressure,
    });
    const reader = openCgroup([v1(4, ['memory'], path), v1(2, ['cpu', 'cpuacct'], path), v2(path)], root);
    expect(reader).toMatchObject({ version: 'v1', pressureDirectory: `${root}/unified${path}` });
    expect(reader?.read()).toMatchObject({
      memoryCurrentBytes: 1000,
      memoryLimitBytes: 5000,
      swapBytes: 300,
      swapLimitBytes: 0,
      events: { low: null, high: null, max: 12, oom: null, oomKill: 2, oomGroupKill: null },
      eventsLocal: null,
      podMaxEvents: 34,
      stat: { anonBytes: 600, majorFaults: 4, pagesScanned: null },
      cpu: { usageNs: 77, nrPeriods: 2, nrThrottled: 1, throttledNs: 3 },
      cpuLimitCores: null,
      missing: expect.arrayContaining([
        { name: 'memory.high', problem: 'not in cgroup v1' },
        { name: 'memory.events.local', problem: 'not in cgroup v1' },
        { name: 'memory.stat pgscan', problem: 'not in cgroup v1' },
        { name: 'cpu.pressure', problem: 'ENOENT' },
      ]),
    });
  });

  it('without the unified hierarchy has no pressure', () => {
    write({ [`memory${path}/memory.usage_in_bytes`]: '1000\n' });
    const reader = openCgroup([v1(4, ['memory'], path)], root);
    expect(reader?.pressureDirectory).toBeNull();
    expect(reader?.read()).toMatchObject({
      memoryCurrentBytes: 1000,
      cpu: null,
      missing: expect.arrayContaining([{ name: 'memory.pressure', problem: 'no such hierarchy' }]),
    });
  });
});

describe('where a cgroup is', () => {
  it('is found below kubelet when seen from another cgroup namespace', () => {
    const inKind = `kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/${container}`;
    write({ [`${inKind}/memory.max`]: '1\n', 'user.slice/other/memory.max': '1\n' });
    expect(locate(root, `/../../../${container}`)).toBe(join(root, inKind));
    expect(locate(root, `/../${pod}/${'b'.repeat(64)}`)).toBeNull();
  });

  it.each(['robotgc/one/kubepods/burstable', `docker/${'c'.repeat(64)}/kubelet/kubepods/burstable`])(
    'is found where kubelet has %s for its pods',
    (parent) => {
      write({ [`${parent}/${container}/memory.max`]: '1\n', 'system.slice/a/memory.max': '1\n' });
      expect(locate(root, `/../../${container}`)).toBe(join(root, parent, container));
    },
  );

  it.each(['/../..', '/kubepods/../../etc', '/../kubepods/../x', '/absent'])('%s is nowhere', (path) => {
    write({ 'kubepods/x/y': '' });
    expect(locate(root, path)).toBeNull();
  });

  it('is the mount itself for the root', () => {
    expect(locate(root, '/')).toBe(root);
  });
});
