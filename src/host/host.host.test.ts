import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openCgroup, openProc, readPressure, scanContainers } from './index.ts';

/** Real processes, real cgroups of our own, the kernel's own PSI files. */
const cgroupRoot = '/sys/fs/cgroup';
const isHybrid = existsSync(`${cgroupRoot}/memory/memory.usage_in_bytes`);
const isV2 = existsSync(`${cgroupRoot}/cgroup.subtree_control`);
const isRoot = process.getuid?.() === 0;
const missing = !isRoot ? 'not root' : isHybrid || isV2 ? undefined : 'no cgroups here';
const because = missing === undefined ? '' : ` (skipped: ${missing})`;

const podUid = '0f9c2b6e-3d1a-4c5b-9e8f-7a6b5c4d3e2f';
const containerId = process.pid.toString(16).padStart(64, '0');
const limitBytes = 96 * 1024 * 1024;
const mounts = isHybrid
  ? ['memory', 'cpu', 'cpuacct', 'unified'].filter((name) => existsSync(`${cgroupRoot}/${name}`))
  : [''];
/** Named as kubelet names them, below a directory of our own. */
const levels = [`robotgc-test-${process.pid}`, 'burstable', `pod${podUid}`, containerId];

const children: ChildProcess[] = [];
async function start(script: string, env: Record<string, string> = {}): Promise<number> {
  const child = spawn(process.execPath, ['-e', script], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.push(child);
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  return child.pid ?? 0;
}
async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exited;
}
afterEach(async () => {
  for (const child of children.splice(0)) await stop(child);
});

describe('a real process', () => {
  const proc = openProc();
  const reads = [
    proc.identity,
    proc.status,
    proc.cgroups,
    proc.executable,
    proc.goEnvironment,
    proc.comm,
    proc.commandLine,
  ];
  const idle = 'console.log("up"); setInterval(() => {}, 1000)';

  it('is described as the kernel sees it', async () => {
    const pid = await start(`process.title = "a) robot (x"; ${idle}`, {
      GOGC: '75',
      GOMEMLIMIT: '90MiB',
      SECRET: 'hunter2',
    });
    expect(proc.pids()).toContain(pid);
    expect(proc.comm(pid)).toBe('a) robot (x');
    expect(proc.goEnvironment(pid)).toEqual({ GOGC: '75', GOMEMLIMIT: '90MiB' });
    expect(proc.status(pid)?.namespacePids).toEqual([pid]);
    expect(proc.status(pid)?.rssBytes).toBeGreaterThan(10e6);
    expect(proc.commandLine(pid)?.[0]).toContain('a) robot (x');
    const file = statSync(process.execPath);
    expect(proc.executable(pid)).toMatchObject({
      path: `/proc/${pid}/exe`,
      device: file.dev,
      inode: file.ino,
      sizeBytes: file.size,
    });
    expect(proc.hasProgram(pid)).toBe(true);
    expect(proc.cgroups(pid)?.length).toBeGreaterThan(0);
  });

  it('is told from another by its start time, and from a dead one', async () => {
    const [first, second] = [await start(idle), await start(idle)];
    const identity = proc.identity(first);
    if (identity === undefined) throw new Error('no identity');
    expect(proc.isAlive(identity)).toBe(true);
    expect(proc.isAlive({ ...identity, startTicks: identity.startTicks - 1 })).toBe(false);
    expect(proc.identity(second)?.startTicks).toBeGreaterThanOrEqual(identity.startTicks);
    for (const child of children) await stop(child);
    expect(proc.isAlive(identity)).toBe(false);
    for (const read of reads) expect(read(first)).toBeUndefined();
    expect(proc.hasProgram(first)).toBe(false);
  });

  it('may be a kernel thread or a zombie: nothing throws', () => {
    for (const pid of proc.pids()) for (const read of [...reads, proc.hasProgram]) read(pid);
  });
});

describe('pressure of this machine', () => {
  it.skipIf(!existsSync('/proc/pressure/memory')).each(['memory', 'cpu', 'io'])('%s', (resource) => {
    const pressure = readPressure(`/proc/pressure/${resource}`);
    expect(pressure?.some.avg10).toBeGreaterThanOrEqual(0);
    expect(pressure?.some.avg10).toBeLessThanOrEqual(1);
    const totalUs = Number(/some .*total=(\d+)/.exec(readFileSync(`/proc/pressure/${resource}`, 'utf8'))?.[1]);
    expect(pressure?.some.totalNs).toBeLessThanOrEqual(totalUs * 1000);
  });
});

describe.skipIf(missing !== undefined)(`a container's cgroup${because}`, () => {
  const proc = openProc();
  const directories = mounts.flatMap((mount) =>
    levels.map((_, i) => [cgroupRoot, mount, ...levels.slice(0, i + 1)].join('/')),
  );
  const put = (mount: string, file: string, text: string): void =>
    writeFileSync([cgroupRoot, mount, ...levels, file].join('/'), text);

  beforeAll(() => {
    for (const directory of directories) {
      // In v2 a controller must be handed down level by level.
      if (isV2 && !isHybrid)
        writeFileSync(`${directory.slice(0, directory.lastIndexOf('/'))}/cgroup.subtree_control`, '+memory +cpu');
      mkdirSync(directory);
    }
    put(isHybrid ? 'memory' : '', isHybrid ? 'memory.limit_in_bytes' : 'memory.max', String(limitBytes));
    if (isHybrid) put('cpu', 'cpu.cfs_quota_us', '20000');
    else put('', 'cpu.max', '20000 100000');
  });
  afterAll(async () => {
    for (const child of children.splice(0)) await stop(child);
    for (const directory of directories.toReversed()) if (existsSync(directory)) rmdirSync(directory);
  });

  async function startInside(script: string): Promise<number> {
    const pid = await start(`process.stdin.once("data", () => { ${script} }); console.log("ready")`);
    for (const mount of mounts) put(mount, 'cgroup.procs', String(pid));
    children.at(-1)?.stdin?.write('go\n');
    return pid;
  }
  const containerOf = (pid: number) => scanContainers(proc).find((c) => c.pids.includes(pid));

  it('is found by one scan, with its processes', async () => {
    const pid = await startInside('setInterval(() => {}, 1000)');
    const second = await startInside('setInterval(() => {}, 1000)');
    const container = scanContainers(proc).find((each) => each.podUid === podUid && each.containerId === containerId);
    expect(container?.pids).toEqual([pid, second].sort((a, b) => a - b));
    expect(container?.cgroups.every((c) => c.path === `/${levels.join('/')}`)).toBe(true);
  });

  it('shows limit, throttling, file cache and OOM kill of a real process', async () => {
    const pid = await startInside(`
      const keep = [];
      setInterval(() => { const end = Date.now() + 150; while (Date.now() < end); }, 160);
      process.stdin.on("data", () => setInterval(() => keep.push(Buffer.alloc(8 << 20, 1)), 5));
    `);
    const container = containerOf(pid);
    const reader = openCgroup(container?.cgroups ?? []);
    const before = reader?.read();
    expect(before).toMatchObject({ version: isHybrid ? 'v1' : 'v2', memoryLimitBytes: limitBytes, cpuLimitCores: 0.2 });
    const unknown = before?.missing.filter(({ problem }) => problem !== 'not in cgroup v1');
    expect(unknown).toEqual([]);
    expect(before?.missing.some(({ name }) => name === 'memory.high')).toBe(isHybrid);
    expect(before?.pressure.memory).not.toBeNull();
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const busy = reader?.read();
    expect(busy?.cpu?.nrThrottled).toBeGreaterThan(before?.cpu?.nrThrottled ?? Number.NaN);
    expect(busy?.cpu?.throttledNs).toBeGreaterThan(before?.cpu?.throttledNs ?? Number.NaN);
    expect(busy?.cpu?.usageNs).toBeGreaterThan((before?.cpu?.usageNs ?? Number.NaN) + 100e6);

    const child = children.at(-1);
    const exited = new Promise((resolve) => child?.once('exit', (_code, signal) => resolve(signal)));
    child?.stdin?.write('eat\n');
    expect(await exited).toBe('SIGKILL');
    const after = reader?.read();
    expect(after?.events?.oomKill).toBe((before?.events?.oomKill ?? Number.NaN) + 1);
    expect(after?.events?.max).toBeGreaterThan(before?.events?.max ?? Number.NaN);
    expect(after?.memoryPeakBytes).toBeGreaterThan(limitBytes * 0.9);
    expect(after?.memoryPeakBytes).toBeLessThanOrEqual(limitBytes);
    expect(after?.pressure.memory?.some.totalNs).toBeGreaterThan(0);
  }, 60_000);

  it('is undefined once removed', () => {
    const memberships = isHybrid
      ? [{ hierarchy: 4, controllers: ['memory'], path: `/${levels[0]}/gone` }]
      : [{ hierarchy: 0, controllers: [], path: `/${levels[0]}/gone` }];
    const directory = [cgroupRoot, mounts[0], levels[0], 'gone'].join('/');
    mkdirSync(directory);
    const reader = openCgroup(memberships);
    expect(reader?.read()).toBeDefined();
    rmdirSync(directory);
    expect(reader?.read()).toBeUndefined();
    expect(openCgroup(memberships)).toBeUndefined();
  });
});
