/** The sampler on real processes with the real probe: what comes, goes, and turns into another program. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../../../test/support/until.ts';
import { openProc } from '../../host/index.ts';
import { removeTemporaryFolders, temporaryFolder } from '../../host/probe/testing/ground.ts';
import type { SignalWindow } from '../../model/index.ts';
import { buildRobot, type Robot, startRobot, stopChild, whyNoHost } from '../testing/robot.ts';
import { hostSampler, type Sampler, type Target, type TargetState } from './index.ts';

const missing = whyNoHost();
const proc = openProc();

describe.skipIf(missing !== undefined)(`Sampler${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let binary: string;
  let stop: AbortController;
  let running: Promise<void>;
  let sampler: Sampler;
  const robots: Robot[] = [];
  const children: ChildProcess[] = [];
  const populations = new Map<string, number[]>();
  const windows = new Map<string, SignalWindow[]>();
  const states = new Map<string, TargetState>();

  beforeAll(() => {
    binary = buildRobot();
    stop = new AbortController();
    sampler = hostSampler({
      populate: () =>
        new Map([...populations].map(([key, pids]) => [key, { pids, cgroups: proc.cgroups(pids[0] ?? 0) ?? null }])),
      sink: {
        window: ({ key }, window) => windows.set(key, [...(windows.get(key) ?? []), window]),
        state: ({ key }, state) => states.set(key, state),
      },
    });
    running = sampler.run(stop.signal);
  });
  afterEach(async () => {
    sampler.setTargets([]);
    populations.clear();
    windows.clear();
    states.clear();
    for (const robot of robots.splice(0)) await robot.stop();
    for (const child of children.splice(0)) await stopChild(child);
  });
  afterAll(async () => {
    stop.abort();
    await running;
    removeTemporaryFolders();
  });

  const target = (key: string): Target => ({
    key,
    pod: { namespace: 'robots', name: key, uid: key },
    container: 'robot',
    containerId: key,
    activity: null,
  });
  const robot = async (gogc: number): Promise<Robot> => {
    const started = await startRobot(binary, { gogc, sessions: 1500 });
    robots.push(started);
    return started;
  };
  const newest = (key: string): SignalWindow | undefined => windows.get(key)?.at(-1);
  const within = (what: string, condition: () => boolean | Promise<boolean>): Promise<void> =>
    until(what, condition, 30_000, 50);

  test('two containers that run one binary are told apart', async () => {
    const [one, other] = [await robot(20), await robot(200)];
    populations.set('one', [one.pid]).set('other', [other.pid]);
    sampler.setTargets([target('one'), target('other')]);
    await within('both have cycles', () => newest('one')?.gc?.gogc === 20 && newest('other')?.gc?.gogc === 200);
    expect(newest('one')?.pids).toEqual([one.pid]);
    expect(newest('one')?.gc?.cycles).toBeGreaterThan(0);
  });

  test('a second process of a container is followed when it comes and when it goes', async () => {
    const first = await robot(20);
    populations.set('pair', [first.pid]);
    sampler.setTargets([target('pair')]);
    await within('the first is watched', () => newest('pair')?.pids.length === 1);
    const second = await robot(20);
    populations.set(
      'pair',
      [first.pid, second.pid].sort((a, b) => a - b),
    );
    await within('both are', () => newest('pair')?.pids.length === 2);
    await second.stop();
    populations.set('pair', [first.pid]);
    await within('one is left', () => newest('pair')?.pids.join() === String(first.pid));
    const seqs = windows.get('pair')?.map(({ seq }) => seq) ?? [];
    expect(seqs).toEqual(seqs.map((_, index) => index));
  });

  test('a shell that becomes a Go program is refused, then watched', async () => {
    const child = spawn(
      'sh',
      ['-c', `sleep 3; exec ${binary} -sessions 100 -pprof '' -metrics 127.0.0.1:0 -control 127.0.0.1:0`],
      { stdio: 'ignore' },
    );
    children.push(child);
    populations.set('shell', [child.pid ?? 0]);
    sampler.setTargets([target('shell')]);
    await within('it is refused', () => states.get('shell')?.state === 'Refused');
    expect(states.get('shell')).toMatchObject({ reason: 'not-go' });
    await within('it is watched', () => states.get('shell')?.state === 'Watching');
  });

  test('a program that becomes another one, long after its start, is watched as that within two windows', async () => {
    const program = join(temporaryFolder('execs'), 'execs');
    execFileSync('go', ['build', '-o', program, '.'], {
      cwd: fileURLToPath(new URL('../../../test/robustness/testdata/execs', import.meta.url)),
    });
    const child = spawn(program, { stdio: ['pipe', 'ignore', 'inherit'] });
    children.push(child);
    populations.set('changing', [child.pid ?? 0]);
    sampler.setTargets([target('changing')]);
    const linkNow = (): string | undefined => sampler.inspect('changing')?.programs[0]?.executable.link;
    await within('it is watched', () => linkNow() === program);
    // From then on it is looked at now and then only.
    await delay(11_000);
    const seq = newest('changing')?.seq ?? 0;
    child.stdin?.write(`${binary} -sessions 100 -pprof= -metrics=127.0.0.1:0 -control=127.0.0.1:0\n`);
    await within('the other program is watched', () => linkNow() === binary);
    expect((newest('changing')?.seq ?? 0) - seq).toBeLessThanOrEqual(2);
  });

  test('a target without a process waits; one that has ended waits again', async () => {
    sampler.setTargets([target('empty')]);
    await within('it waits', () => states.get('empty')?.state === 'Waiting');
    const mortal = await robot(50);
    populations.set('empty', [mortal.pid]);
    await within('it is watched', () => states.get('empty')?.state === 'Watching');
    await mortal.stop();
    await within('it waits again', () => states.get('empty')?.state === 'Waiting');
    const made = windows.get('empty')?.length;
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(windows.get('empty')?.length).toBe(made);
  });

  test('windows follow each other without gap or overlap, on a steady beat', async () => {
    const one = await robot(30);
    populations.set('beat', [one.pid]);
    sampler.setTargets([target('beat')]);
    await within('eight windows', () => (windows.get('beat')?.length ?? 0) >= 8);
    const list = windows.get('beat') ?? [];
    for (const [index, window] of list.entries()) {
      const before = list[index - 1];
      if (!before) continue;
      const gapMs = Date.parse(window.endedAt) - Date.parse(before.endedAt);
      expect(Math.abs(gapMs - window.durationMs)).toBeLessThan(5);
    }
    // The grid does not drift: however late single ticks are, they stay near whole seconds apart.
    const first = list[0];
    const last = list.at(-1);
    if (!first || !last) throw new Error('there are windows');
    const spanMs = Date.parse(last.endedAt) - Date.parse(first.endedAt);
    expect(Math.abs(spanMs - Math.round(spanMs / 1000) * 1000)).toBeLessThan(400);
  });

  test('how long goroutines wait for data is watched while a capture runs, and only then', async () => {
    const one = await robot(100);
    populations.set('reads', [one.pid]);
    sampler.setTargets([target('reads')]);
    await within('it is watched', () => newest('reads') !== undefined);
    // The robot's server waits for the rest of a request that comes in two parts.
    const request = async (): Promise<void> => {
      const socket = connect(one.pprofPort, '127.0.0.1').resume();
      socket.write('GET /debug/pprof/cmdline HTTP/1.1\r\n');
      await delay(150);
      socket.end('Host: robot\r\nConnection: close\r\n\r\n');
      await once(socket, 'close');
    };
    const longestNs = (): number => newest('reads')?.network?.read.maxNs ?? 0;
    const nextWindow = async (): Promise<void> => {
      const seq = newest('reads')?.seq ?? 0;
      await within('another window', () => (newest('reads')?.seq ?? 0) > seq + 1);
    };
    await request();
    await nextWindow();
    expect(windows.get('reads')?.filter(({ network }) => network?.read.count !== 0)).toEqual([]);
    const captureOver = sampler.captureBegins('reads');
    await within('a read is seen', async () => {
      await request();
      return longestNs() >= 100e6;
    });
    captureOver();
    await nextWindow();
    const counted = windows.get('reads')?.length ?? 0;
    await request();
    await nextWindow();
    expect(
      windows
        .get('reads')
        ?.slice(counted)
        .filter(({ network }) => (network?.read.count ?? 0) > 0),
    ).toEqual([]);
  });

  test('the window under way is told also of a target that nobody asks for any more: what ended it may be in there', async () => {
    const one = await robot(30);
    populations.set('last', [one.pid]);
    sampler.setTargets([target('last')]);
    await within('two windows', () => newest('last')?.seq === 1);
    sampler.setTargets([]);
    await within('it is forgotten', () => sampler.inspect('last') === null);
    expect(newest('last')?.seq).toBe(2);
  });

  test('an attachment is taken out when its last process is gone from the list', async () => {
    const one = await robot(30);
    populations.set('brief', [one.pid]);
    sampler.setTargets([target('brief')]);
    await within('it is watched', () => sampler.inspect('brief')?.programs.length === 1);
    sampler.setTargets([]);
    await within('it is forgotten', () => sampler.inspect('brief') === null);
    sampler.setTargets([target('brief')]);
    await within(
      'it is watched again',
      () => newest('brief') !== undefined && sampler.inspect('brief')?.programs.length === 1,
    );
  });
});
