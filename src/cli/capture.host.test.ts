/** `robotgc capture` and `robotgc bundle` as users run them, on the real robot. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { robotgc } from '../agent/testing/cli.ts';
import { buildRobot, type Robot, startRobot, whyNoHost } from '../agent/testing/robot.ts';
import { generateKeyPair } from '../bundle/index.ts';
import { SignalWindow } from '../model/index.ts';

const missing = whyNoHost();

describe.skipIf(missing !== undefined)(`robotgc capture and bundle${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let robot: Robot;
  let folder: string;
  let bundle: string;

  beforeAll(async () => {
    robot = await startRobot(buildRobot(), { gogc: 30 });
    folder = mkdtempSync(join(tmpdir(), 'robotgc-capture-'));
    bundle = join(folder, 'bundle.tar.gz');
  });
  afterAll(async () => {
    await robot?.stop();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  const captureFrom = (pid: number, pprof: string, ...args: string[]) =>
    robotgc(['capture', '--pid', String(pid), '--pprof', pprof, ...args]);
  const capture = (...args: string[]) => captureFrom(robot.pid, `127.0.0.1:${robot.pprofPort}`, ...args);

  test('signals and profiles of the same seconds, read by Go’s own tools', async () => {
    const run = capture('-o', bundle, '--duration', '4s', '--profiles', 'cpu,heap,allocs,goroutine,trace,mutex,block');
    expect(await run.exited).toBe(0);
    expect(run.objects()).toMatchObject([
      { file: bundle, via: 'direct', failures: [], sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ]);
    execFileSync('tar', ['-xzf', bundle, '-C', folder]);
    for (const profile of ['cpu', 'heap', 'allocs', 'mutex', 'block']) {
      const top = execFileSync('go', ['tool', 'pprof', '-top', join(folder, 'profiles', `${profile}.pprof`)], {
        encoding: 'utf8',
        stdio: 'pipe',
      });
      expect(top).toContain('flat%');
    }
    expect(readFileSync(join(folder, 'profiles/trace.out')).subarray(0, 8).toString()).toMatch(/^go 1\.\d\d /);
    expect(readFileSync(join(folder, 'profiles/goroutine.txt'), 'utf8')).toContain('goroutine ');

    const windows = readFileSync(join(folder, 'signals.ndjson'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => SignalWindow.parse(JSON.parse(line)));
    expect(windows.length).toBeGreaterThanOrEqual(2);
    expect(windows.at(-1)?.gc?.gogc).toBe(30);
    const processes = JSON.parse(readFileSync(join(folder, 'snapshots/processes.json'), 'utf8'));
    expect(processes).toMatchObject([{ pid: robot.pid, comm: 'robot', environment: { GOGC: '30' } }]);
    // Only the collector's variables leave the process.
    expect(Object.keys(processes[0].environment)).not.toContain('PATH');
  });

  test('the bundle is verified, shown, and every tampering is found', async () => {
    const verified = robotgc(['bundle', 'verify', bundle]);
    expect(await verified.exited).toBe(0);
    expect(verified.objects()).toMatchObject([{ file: bundle, ok: true, signature: 'none', problems: [] }]);

    const shown = robotgc(['bundle', 'show', bundle]);
    expect(await shown.exited).toBe(0);
    expect(shown.objects()).toMatchObject([{ formatVersion: 1, incident: { namespace: 'local' } }]);
    expect(shown.stderr()).toContain('profiles/cpu.pprof');

    const cut = join(folder, 'cut.tar.gz');
    writeFileSync(cut, readFileSync(bundle).subarray(0, 5000));
    const bent = join(folder, 'bent.tar.gz');
    copyFileSync(bundle, bent);
    const bytes = readFileSync(bent);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    writeFileSync(bent, bytes);
    const judged = robotgc(['bundle', 'verify', bundle, cut, bent]);
    expect(await judged.exited).toBe(1);
    expect(judged.objects().map(({ ok }) => ok)).toEqual([true, false, false]);
  });

  test('signed with a key, a bundle is only good with its public half', async () => {
    const keys = generateKeyPair();
    const other = generateKeyPair();
    const file = (name: string, content: string): string => {
      writeFileSync(join(folder, name), content, { mode: 0o600 });
      return join(folder, name);
    };
    const signed = join(folder, 'signed.tar.gz');
    const run = capture(
      '-o',
      signed,
      '--duration',
      '1s',
      '--profiles',
      'heap',
      '--key',
      file('key.pem', keys.privatePem),
    );
    expect(await run.exited).toBe(0);
    const verify = (key: string) => robotgc(['bundle', 'verify', signed, '--key', key]);
    expect(await verify(file('key.pub', keys.publicPem)).exited).toBe(0);
    expect(await verify(file('other.pub', other.publicPem)).exited).toBe(1);
    expect(await verify(file('none.pub', 'no key')).exited).toBe(2);
  });

  test('the pprof of another process is not taken for its own', async () => {
    const file = join(folder, 'other.tar.gz');
    const run = captureFrom(process.pid, `127.0.0.1:${robot.pprofPort}`, '-o', file, '--duration', '1s');
    expect(await run.exited).toBe(3);
    expect(run.stderr()).toContain('belongs to another process');
    expect(existsSync(file)).toBe(false);
  });

  test('without a pprof the signals are still a bundle', async () => {
    const file = join(folder, 'signals.tar.gz');
    const run = captureFrom(robot.pid, 'http://127.0.0.1:1', '-o', file, '--duration', '3s');
    expect(await run.exited).toBe(0);
    expect(run.objects()).toMatchObject([{ via: null, failures: [{ kind: 'pprof', code: 'unreachable' }] }]);
    expect(run.stderr()).toContain('no profiles: ');
  });

  test.each([
    { args: ['--pid', '4194305', '-o', 'x'], exit: 3, says: 'there is no process 4194305' },
    { args: ['--pid', '1'], exit: 2, says: "required option '-o, --output <file>'" },
    {
      args: ['--pid', '1', '-o', 'x', '--profiles', 'cpu,everything'],
      exit: 2,
      says: '"everything" is none of cpu, heap',
    },
    { args: ['--pid', '1', '-o', 'x', '--pprof', 'ftp://there'], exit: 2, says: 'write an address such as' },
    { args: ['--pid', '1', '-o', 'x', '--key', '/nonexistent'], exit: 2, says: '--key /nonexistent' },
  ])('$args: exit $exit, $says', async ({ args, exit, says }) => {
    const run = robotgc(['capture', ...args]);
    expect(await run.exited).toBe(exit);
    expect(run.stderr()).toContain(says);
  });
});
