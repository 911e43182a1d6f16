import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readBundle, verifyBundle, writeBundle } from '../bundle/index.ts';
import { decodeProfile, gcShareOfCpu, topFunctions } from '../profile/index.ts';
import { capture, captureProcess, connectNetworkNamespace, httpTransport } from './index.ts';
import { type CapturedFile, type CaptureResult, profileKinds } from './types.ts';

const works = (command: string, ...args: string[]) => spawnSync(command, args, { stdio: 'ignore' }).status === 0;
const hasGo = works('go', 'version');
const canUnshare = works('unshare', '--net', 'true') && works('ip', '-V');
const why = (ok: boolean, needs: string) => (ok ? '' : ` (skipped: needs ${needs})`);

let folder = '';
let binary = '';
beforeAll(() => {
  if (!hasGo) return;
  folder = mkdtempSync(join(tmpdir(), 'robotgc-capture-'));
  binary = join(folder, 'pprofserver');
  execFileSync('go', ['build', '-o', binary, 'main.go'], { cwd: join(import.meta.dirname, 'testdata/pprofserver') });
});
afterAll(() => {
  if (folder) rmSync(folder, { recursive: true, force: true });
});

/** A real Go program under load; ends when its stdin does. */
async function startServer(args: readonly string[] = [], prefix: readonly string[] = []) {
  const [command = binary, ...rest] = [...prefix, binary, ...args];
  const child = spawn(command, rest, { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const address = await new Promise<string>((resolve) => createInterface(child.stdout).once('line', resolve));
  return {
    pid: child.pid ?? 0,
    port: Number(address.split(':').at(-1)),
    stop: () => child.stdin.end(),
    [Symbol.asyncDispose]: async () => {
      child.stdin.end();
      await exited;
    },
  };
}

function save(file: CapturedFile | undefined): string {
  const path = join(folder, basename(file?.name ?? 'missing'));
  writeFileSync(path, file?.bytes ?? '');
  return path;
}

const tool = (...args: string[]) =>
  execFileSync('go', ['tool', ...args], {
    encoding: 'utf8',
    maxBuffer: 512 * 1024 * 1024,
    env: { ...process.env, PPROF_TMPDIR: folder },
  });
const fileOf = (result: CaptureResult, kind: string) => result.files.find((file) => file.kind === kind);

describe.skipIf(!hasGo)(`capture from a real Go process${why(hasGo, 'a Go toolchain')}`, () => {
  it("fetches all profiles of a process under load; Go's own tools read them and agree", async () => {
    await using server = await startServer();
    const result = await captureProcess({
      pid: server.pid,
      address: { host: '127.0.0.1', port: server.port },
      profiles: profileKinds,
      durationMs: 3000,
      signal: AbortSignal.timeout(60_000),
    });
    expect(result.failures).toEqual([]);
    expect(result.files.map(({ kind }) => kind)).toEqual([...profileKinds]);
    const seconds = (file?: CapturedFile) =>
      file ? (Date.parse(file.endedAt) - Date.parse(file.startedAt)) / 1000 : 0;
    for (const kind of ['cpu', 'trace', 'mutex', 'block']) expect(seconds(fileOf(result, kind))).toBeGreaterThan(2.9);
    for (const kind of ['heap', 'allocs', 'goroutine']) expect(seconds(fileOf(result, kind))).toBeLessThan(2.9);

    for (const kind of ['cpu', 'heap', 'allocs', 'mutex', 'block']) {
      const file = fileOf(result, kind);
      const raw = tool('pprof', '-raw', save(file));
      const lines = raw.slice(raw.indexOf('Samples:'), raw.indexOf('Locations')).trim().split('\n').slice(2);
      expect(lines.filter((line) => /^\s+-?\d+.*: /.test(line)).length, kind).toBe(file?.samples);
      expect(file?.samples, kind).toBeGreaterThan(0);
    }
    expect(tool('pprof', '-top', save(fileOf(result, 'allocs')))).toContain('main.allocateMessage');
    expect(tool('pprof', '-top', '-sample_index=inuse_space', save(fileOf(result, 'heap')))).toContain(
      'main.allocateMessage',
    );
    expect(tool('pprof', '-top', save(fileOf(result, 'mutex')))).toContain('main.contend');

    const events = tool('trace', '-d=parsed', save(fileOf(result, 'trace')));
    expect(events).toContain('Sync Time=');
    expect(events).toContain('GC concurrent mark phase');
    // CPU profile and trace over the same seconds: the samples are in the trace.
    expect(events).toContain('StackSample');
    expect(Buffer.from(fileOf(result, 'goroutine')?.bytes ?? '').toString()).toContain('goroutine 1 [');
    expect(fileOf(result, 'goroutine')?.samples).toBeGreaterThan(100);

    const bundle = await writeBundle(
      result.files.map(({ name, bytes, source, startedAt, endedAt }) => ({
        path: name,
        content: bytes,
        source,
        windowStart: startedAt,
        windowEnd: endedAt,
      })),
      {
        incident: { namespace: 'n', name: 'i', uid: 'u' },
        policy: {},
        createdAt: result.endedAt,
        node: 'host',
        tools: {},
      },
      { file: join(folder, 'bundle.tar.gz') },
    );
    expect(await verifyBundle(bundle.file)).toMatchObject({ ok: true });
    const read = await readBundle(bundle.file);
    for (const { name, bytes } of result.files)
      expect(Buffer.compare(read.files.get(name) ?? Buffer.alloc(0), bytes)).toBe(0);
    expect(execFileSync('tar', ['-tzf', bundle.file], { encoding: 'utf8' }).trim().split('\n').length).toBe(8);
  });

  /** A program that has only just started may not have done enough to compare yet. */
  async function busyProfiles(server: { readonly pid: number; readonly port: number }) {
    for (let attempt = 1; ; attempt++) {
      const { files } = await captureProcess({
        pid: server.pid,
        address: { host: '127.0.0.1', port: server.port },
        profiles: ['cpu', 'allocs'],
        durationMs: 3000,
        signal: AbortSignal.timeout(60_000),
      });
      if (attempt === 5 || files.every(({ samples = 0 }) => samples > 20)) return files;
    }
  }

  it('decodes profiles to the numbers that pprof prints', async () => {
    await using server = await startServer();
    const files = await busyProfiles(server);
    for (const [kind, type] of [
      ['cpu', 'cpu'],
      ['allocs', 'alloc_space'],
    ] as const) {
      const file = files.find((candidate) => candidate.kind === kind);
      const unit = kind === 'cpu' ? 'ns' : 'B';
      const printed = tool(
        'pprof',
        '-top',
        '-nodefraction=0',
        '-nodecount=100000',
        `-unit=${unit}`,
        `-sample_index=${type}`,
        save(file),
      );
      const rows = printed
        .split('\n')
        .flatMap(
          (line) =>
            /^\s*(\d+)\w*\s+\S+\s+\S+\s+(\d+)\w*\s+\S+\s+(.*?)(?: \((?:partial-)?inline\))?$/
              .exec(line)
              ?.slice(1, 4)
              .join(' ') ?? [],
        );
      const profile = decodeProfile(gunzipSync(file?.bytes ?? Buffer.alloc(0)));
      const ours = topFunctions(profile, type, 100_000)
        .filter((row) => row.cumulative !== 0)
        .map((row) => `${row.flat} ${row.cumulative} ${row.function}`);
      expect(rows.length).toBeGreaterThan(5);
      expect(ours.sort()).toEqual(rows.filter((row) => !row.startsWith('0 0 ')).sort());
    }
    const cpu = decodeProfile(gunzipSync(files[0]?.bytes ?? Buffer.alloc(0)));
    expect(gcShareOfCpu(cpu)).toBeGreaterThan(0);
    expect(gcShareOfCpu(cpu)).toBeLessThan(1);
  });

  it('says who is in the way when a profile is in use, and outlasts a short WriteTimeout', async () => {
    await using server = await startServer(['-write-timeout', '3s']);
    const take = (profiles: ('cpu' | 'trace' | 'heap')[], durationMs: number) =>
      captureProcess({
        pid: server.pid,
        address: { host: '127.0.0.1', port: server.port },
        profiles,
        durationMs,
        signal: AbortSignal.timeout(30_000),
      });
    const [first, second] = await Promise.all([take(['cpu', 'trace'], 2000), take(['cpu', 'trace', 'heap'], 2000)]);
    const all = [first, second];
    expect(all.flatMap(({ failures }) => failures.map(({ kind, code }) => `${kind} ${code}`)).sort()).toEqual([
      'cpu busy',
      'trace busy',
    ]);
    expect(all.flatMap(({ files }) => files.map(({ kind }) => kind)).sort()).toEqual(['cpu', 'heap', 'trace']);
    // Go 1.22 refused this; later versions extend the deadline of the connection.
    const { files, failures } = await take(['cpu'], 4000);
    expect(failures).toEqual([]);
    expect(files[0]?.samples).toBeGreaterThan(0);
  });

  it('fails clearly when the process dies in the middle', async () => {
    await using server = await startServer();
    setTimeout(() => server.stop(), 500);
    const { files, failures } = await captureProcess({
      pid: server.pid,
      address: { host: '127.0.0.1', port: server.port },
      profiles: ['cpu', 'heap', 'trace'],
      durationMs: 5000,
      signal: AbortSignal.timeout(30_000),
    });
    expect(files.map(({ kind }) => kind)).toEqual(['heap']);
    expect(failures).toMatchObject([
      { kind: 'cpu', code: 'truncated' },
      { kind: 'trace', code: 'truncated' },
    ]);
  });

  it('refuses the pprof of another process, a process without pprof, and no process', async () => {
    await using server = await startServer();
    const take = (pid: number, port: number) =>
      captureProcess({
        pid,
        address: { host: '127.0.0.1', port },
        profiles: ['heap'],
        durationMs: 1000,
        signal: AbortSignal.timeout(10_000),
      });
    await expect(take(process.pid, server.port)).rejects.toThrow(
      expect.objectContaining({ code: 'other-process', message: expect.stringContaining('pprofserver') }),
    );
    await expect(take(server.pid, 9)).rejects.toThrow(
      expect.objectContaining({ code: 'unreachable', message: expect.stringContaining('ECONNREFUSED') }),
    );
    await expect(take(2 ** 22 + 1, server.port)).rejects.toThrow(expect.objectContaining({ code: 'not-found' }));
  });
});

const canEnter = hasGo && canUnshare;
describe.skipIf(!canEnter)(
  `capture from another network namespace${why(canEnter, 'Go, iproute2 and the right to unshare')}`,
  () => {
    const inNamespace = ['unshare', '--net', 'sh', '-c', 'ip link set lo up && exec "$0" "$@"'];

    it('reaches the loopback of a process there, when allowed, and is told from this loopback', async () => {
      await using server = await startServer(['-addr', '127.0.0.1:6060'], inNamespace);
      const request = {
        pid: server.pid,
        profiles: ['cpu', 'heap', 'goroutine', 'trace'] as const,
        durationMs: 1000,
        signal: AbortSignal.timeout(30_000),
      };
      await expect(captureProcess(request)).rejects.toThrow(
        expect.objectContaining({ code: 'unreachable', message: expect.stringContaining('SYS_ADMIN') }),
      );
      const result = await captureProcess({ ...request, allowNetworkNamespace: true });
      expect(result).toMatchObject({ way: 'network-namespace', failures: [] });
      expect(result.files.length).toBe(4);
      expect(tool('pprof', '-top', save(fileOf(result, 'heap')))).toContain('main.allocateMessage');
      // No relay outlives its connection.
      await expect
        .poll(() => spawnSync('pgrep', ['-f', '[n]ode:net.*connect.*6060'], { encoding: 'utf8' }).stdout)
        .toBe('');
    });

    it('says that nothing listens there, and that the process is gone', async () => {
      await using server = await startServer(['-addr', '127.0.0.1:6060'], inNamespace);
      const heap = async (pid: number, port: number) => {
        const transport = httpTransport(connectNetworkNamespace(pid, port), {
          host: '127.0.0.1',
          connectTimeoutMs: 5000,
        });
        const target = { transport, way: 'network-namespace', where: 'there' } as const;
        return (await capture({ target, profiles: ['heap'], durationMs: 1000, signal: AbortSignal.timeout(10_000) }))
          .failures[0];
      };
      expect(await heap(server.pid, 6060)).toBeUndefined();
      expect(await heap(server.pid, 6061)).toMatchObject({
        code: 'unreachable',
        message: expect.stringContaining('ECONNREFUSED'),
      });
      expect(await heap(2 ** 22 + 1, 6060)).toMatchObject({
        code: 'unreachable',
        message: expect.stringContaining('the process is gone'),
      });
    });
  },
);
