import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { until } from '../../test/support/until.ts';
import { recordAllocations } from './allocation-sampler.ts';
import { entryOf } from './auxiliary-vector.ts';
import { ControllerReadError, type ControllerReader, openController } from './controller-reader.ts';
import { Churn } from './probe/testing/churn.ts';
import { buildChurnAs, type GoVersion, supportedToolchains } from './probe/testing/churn-builds.ts';
import { missingGround } from './probe/testing/ground.ts';
import { openProc } from './proc.ts';
import { globalsOf, identityOf } from './testing/go-process.ts';

/** Real programs of every Go version against what their own runtime/metrics say. */
const missing = missingGround();
const proc = openProc();
const modes = [
  { mode: 'plain', flags: [] },
  { mode: 'stripped', flags: ['-ldflags=-s -w'] },
  { mode: 'position-independent, stripped', flags: ['-buildmode=pie', '-ldflags=-s -w'] },
] as const;

function build(version: GoVersion, flags: readonly string[]): string {
  return buildChurnAs(version, { name: 'books', flags, env: { CGO_ENABLED: '0' } });
}

/** Bytes that can be read; -1: none now. */
function readable(fd: number, at: number): number {
  try {
    return readSync(fd, Buffer.alloc(8), 0, 8, at);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EIO') return -1;
    throw error;
  }
}

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    if (error instanceof ControllerReadError) return error.code;
    throw error;
  }
  return undefined;
}

const bytesOf = (reader: ControllerReader): number => {
  const counts = reader.readSizeClasses();
  if (counts === null || counts === undefined) throw new Error('the size classes could not be read');
  return counts.classes.reduce((sum, { sizeBytes, objects }) => sum + sizeBytes * objects, counts.largeBytes);
};

describe.skipIf(missing !== '')(`the collector's books through /proc/PID/mem${missing}`, () => {
  describe.each(supportedToolchains)('go%s', (version) => {
    it.each(modes)('$mode: says what runtime/metrics says', async ({ flags }) => {
      const binary = build(version, flags);
      await using churn = new Churn(binary, { GOGC: '70', GOMEMLIMIT: '900MiB' });
      await churn.ask('start');
      using reader = openController(proc, identityOf(proc, churn.pid), globalsOf(`/proc/${churn.pid}/exe`));
      const [recorded] = await recordAllocations([reader], { durationMs: 300, everyMs: 5 });
      const series = recorded?.kind === 'series' ? recorded.series : undefined;
      await churn.ask('stop');
      const report = await churn.ask('gc');
      expect(reader.read()).toMatchObject({
        gcPercent: 70,
        memoryLimitBytes: 900 * 1024 * 1024,
        heapMarkedBytes: report.heapLiveBytes,
        globalsScanBytes: report.globalsScanBytes,
      });
      // The program rests: what it has allocated since it reported is its own answer.
      expect(Math.abs(bytesOf(reader) - report.allocBytes)).toBeLessThan(256 * 1024);
      const books = reader.read();
      expect(Math.abs((books?.totalAllocBytes ?? 0) - report.allocBytes)).toBeLessThan(1024 * 1024);
      expect(books?.heapLiveBytes).toBeGreaterThanOrEqual(report.heapLiveBytes);

      // Nodes of 488 bytes lie in objects of 512: nearly all that was allocated meanwhile.
      const allocated = series?.allocated?.classes ?? [];
      const total = allocated.reduce((sum, { sizeBytes, objects }) => sum + sizeBytes * objects, 0);
      const nodes = allocated.find(({ sizeBytes }) => sizeBytes === 512);
      expect(512 * (nodes?.objects ?? 0)).toBeGreaterThan(0.95 * total);
      const grown = (series?.samples.at(-1)?.totalAllocBytes ?? 0) - (series?.samples[0]?.totalAllocBytes ?? 0);
      expect(grown / total).toBeGreaterThan(0.8);
      expect(grown / total).toBeLessThan(1.2);
    });
  });

  // Where it lies in the controller is the version's doing, not the linker's: one mode of each, and all of the newest.
  const newest = supportedToolchains.at(-1);
  describe.each(supportedToolchains)('go%s under a limit below its live heap', (version) => {
    const tried = version === newest ? modes : modes.filter(({ mode }) => mode === 'stripped');
    it.each(tried)('$mode: tells of the GC CPU limiter what runtime/metrics tells', async ({ flags }) => {
      const strained = ['-goroutines', '64', '-lists', '3000'];
      await using churn = new Churn(build(version, flags), { GOGC: 'off', GOMEMLIMIT: '8MiB' }, strained);
      await churn.ask('report');
      using reader = openController(proc, identityOf(proc, churn.pid), globalsOf(`/proc/${churn.pid}/exe`));
      await churn.ask('start');
      await until('the program is limited', () => reader.readLimiter()?.isOn === true, 15_000);
      // Without a limit nothing needs limiting: what was last switched on stays so. Lifted first: under it the program never comes to rest.
      await churn.ask(`limit ${2 ** 40}`);
      await churn.ask('stop');
      const { lastLimitedCycle, numGC } = await churn.ask('gc');
      expect(reader.readLimiter()?.lastCycle).toBe(lastLimitedCycle);
      expect(lastLimitedCycle).toBeGreaterThan(0);
      expect(reader.readWork()?.cycles).toBe(numGC);
    });
  });

  it('ends with the program', async () => {
    const binary = build('1.26.8', []);
    const globals = globalsOf(binary);
    await using churn = new Churn(binary);
    await churn.ask('report');
    const identity = identityOf(proc, churn.pid);
    using reader = openController(proc, identity, globals);
    expect(reader.read()).toBeDefined();
    churn.kill();
    await churn.exited;
    expect(reader.read()).toBeUndefined();
    expect(reader.readHeap()).toBeUndefined();
    expect(reader.readSizeClasses()).toBeUndefined();
    expect(await recordAllocations([reader], { durationMs: 100, everyMs: 2 })).toEqual([{ kind: 'ended' }]);
    expect(codeOf(() => openController(proc, identity, globals))).toBe('GONE');
  });

  it('relies on what the kernel does: memory once opened ends with an exec, though PID and start time stay', async () => {
    const child = spawn('sh', ['-c', 'read line; exec sleep 60'], { stdio: ['pipe', 'ignore', 'inherit'] });
    const pid = child.pid ?? 0;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    await until('the shell runs', () => proc.comm(pid) === 'sh', 15_000);
    const before = identityOf(proc, pid);
    const entry = entryOf(readFileSync(`/proc/${pid}/auxv`)) ?? 0;
    const fd = openSync(`/proc/${pid}/mem`, 'r');
    expect(readSync(fd, Buffer.alloc(8), 0, 8, entry)).toBe(8);
    child.stdin.write('\n');
    await until('the shell became sleep', () => proc.comm(pid) === 'sleep', 15_000);
    expect(identityOf(proc, pid)).toEqual(before);
    // Of memory that is just being taken down the kernel says EIO, as of what is not mapped.
    await until('the memory is gone', () => readable(fd, entry) === 0, 15_000);
    closeSync(fd);
    child.kill('SIGKILL');
    await exited;
  });

  it('refuses another program and another process', async () => {
    const binary = build('1.26.8', []);
    const globals = globalsOf(binary);
    await using churn = new Churn(binary);
    await churn.ask('report');
    const identity = identityOf(proc, churn.pid);
    const other = { pid: churn.pid, startTicks: identity.startTicks + 1 };
    expect(codeOf(() => openController(proc, other, globals))).toBe('GONE');
    expect(codeOf(() => openController(proc, identityOf(proc, process.pid), globals))).toBe('OTHER_PROGRAM');
    // The code instead of the data: mapped, but no books.
    const code = { ...globals, gcControllerAddress: globals.entryAddress };
    expect(codeOf(() => openController(proc, identity, code))).toBe('IMPLAUSIBLE');
    expect(codeOf(() => openController(proc, identity, { ...globals, gcControllerAddress: 8 }))).toBe('GONE');
  });

  it('records several at once; one that ends does not disturb the others', async () => {
    const binary = build('1.26.8', []);
    const globals = globalsOf(binary);
    await using one = new Churn(binary);
    await using other = new Churn(binary);
    await Promise.all([one.ask('start'), other.ask('report')]);
    using first = openController(proc, identityOf(proc, one.pid), globals);
    using second = openController(proc, identityOf(proc, other.pid), globals);
    const recording = recordAllocations([first, second], { durationMs: 600, everyMs: 5 });
    await sleep(150);
    other.kill();
    const [kept, ended] = await recording;
    expect(ended).toEqual({ kind: 'ended' });
    if (kept?.kind !== 'series') throw new Error('the first recording is missing');
    const times = kept.series.samples.map((sample) => sample.atNs);
    expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan(590e6);
    expect(times.every((time, index) => index === 0 || time > (times[index - 1] ?? 0))).toBe(true);
  });

  it('stops with its signal', async () => {
    const binary = build('1.26.8', []);
    await using churn = new Churn(binary);
    await churn.ask('report');
    using reader = openController(proc, identityOf(proc, churn.pid), globalsOf(binary));
    const signal = AbortSignal.timeout(50);
    await expect(recordAllocations([reader], { durationMs: 10_000, everyMs: 2, signal })).rejects.toThrow(/abort/i);
  });
});
