/** `robotgc watch` as users run it, on the real robot, with the real probe. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { until } from '../../test/support/until.ts';
import { type CliOptions, robotgc } from '../agent/testing/cli.ts';
import { buildRobot, type Robot, startRobot, stopChild, whyNoHost } from '../agent/testing/robot.ts';
import { monotonicNs } from '../host/index.ts';
import { SignalWindow } from '../model/index.ts';

const missing = whyNoHost();
const tight = 'spec: {sla: {latencyP99: 1ms, gcShareOfLatency: 1%, throughput: 99.9%}}';
const loose =
  'spec: {sla: {latencyP99: 60s, gcShareOfLatency: 100%, throughput: 1%}, thresholds: {memoryPressureSome: 100%, memoryPressureFull: 100%}}';

describe.skipIf(missing !== undefined)(`robotgc watch${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let binary: string;
  let robot: Robot;
  let folder: string;

  beforeAll(async () => {
    binary = buildRobot();
    robot = await startRobot(binary, { gogc: 20 });
    folder = mkdtempSync(join(tmpdir(), 'robotgc-watch-'));
    chmodSync(folder, 0o755);
  });
  afterAll(async () => {
    await robot?.stop();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  const policyFile = (name: string, spec: string): string => {
    const file = join(folder, `${name}.yaml`);
    writeFileSync(file, `apiVersion: robotgc.dev/v1alpha1\nkind: RobotGCPolicy\nmetadata: {name: ${name}}\n${spec}\n`);
    return file;
  };
  const watch = (...args: string[]) => robotgc(['watch', '--pid', String(robot.pid), ...args]);

  test('shows pauses, cycles and windows that agree with each other and with the program', async () => {
    const before = await gcCycles(robot);
    const run = watch('--duration', '6s', '-o', 'ndjson');
    expect(await run.exited).toBe(0);
    const after = await gcCycles(robot);
    const objects = run.objects();
    const of = (type: string) => objects.filter((object) => object.type === type);

    const windows = of('window').map((object) => SignalWindow.parse(object));
    expect(windows.length).toBeGreaterThanOrEqual(4);
    expect(windows.map(({ seq }) => seq)).toEqual(windows.map((_, index) => index));
    for (const { durationMs } of windows) expect(durationMs).toBeGreaterThanOrEqual(500);

    const pauses = of('pause').map((object) => z.object({ reason: z.int(), totalNs: z.number() }).parse(object));
    const gcPauses = pauses.filter(({ reason }) => reason === 1 || reason === 2);
    const counted = windows.reduce((sum, window) => sum + window.gcPause.count, 0);
    // Pauses of the stretches before the first and after the last whole window are shown, and belong to none.
    expect(gcPauses.length).toBeGreaterThanOrEqual(counted);
    expect(gcPauses.length - counted).toBeLessThanOrEqual(24);
    expect(counted).toBeGreaterThan(4);

    // Stalls of 1 ms and longer, one by one; the robot has some or none, and the histogram none that is not among them.
    const assists = of('assist').map((object) => z.object({ g: z.number(), durationNs: z.number() }).parse(object));
    for (const { durationNs } of assists) expect(durationNs).toBeGreaterThanOrEqual(1_000_000);
    const longest = Math.max(0, ...windows.map(({ gcAssist }) => gcAssist.maxNs));
    if (longest >= 1_000_000) expect(assists.map(({ durationNs }) => durationNs)).toContain(longest);

    const cycles = of('cycle').length;
    expect(cycles).toBeGreaterThan(2);
    expect(cycles).toBeLessThanOrEqual(after - before);

    const { gc, cgroup } = windows.at(-1) ?? { gc: null, cgroup: null };
    expect(gc).toMatchObject({ gogc: 20, goMemLimitBytes: null });
    expect(gc?.heapLiveBytes).toBeGreaterThan(1_000_000);
    expect(gc?.heapGoalBytes).toBeGreaterThan(gc?.heapLiveBytes ?? 0);
    expect(gc?.cpuShare).toBeGreaterThan(0);
    expect(gc?.cpuShare).toBeLessThan(1);
    expect(cgroup?.memoryCurrentBytes).toBeGreaterThan(0);
    expect(run.stderr()).toContain(`watching robot (process ${robot.pid}, go1.`);
    const isV1 = existsSync('/sys/fs/cgroup/memory');
    expect(/not observed: cgroup\.memoryHighBytes.*: cgroup v1 does not tell memory\.high/.test(run.stderr())).toBe(
      isV1,
    );
  });

  test('reads that wait for data are told when they are asked for, and only then', async () => {
    // The robot's server waits for the rest of a request that comes in two parts.
    const request = async (): Promise<void> => {
      const socket = connect(robot.pprofPort, '127.0.0.1').resume();
      socket.write('GET /debug/pprof/cmdline HTTP/1.1\r\n');
      await new Promise((resolve) => setTimeout(resolve, 200));
      socket.end('Host: robot\r\nConnection: close\r\n\r\n');
      await once(socket, 'close');
    };
    const readsOf = async (...args: string[]) => {
      const run = watch('-o', 'ndjson', ...args);
      await run.untilStdout(/"type":"window"/);
      for (let i = 0; i < 3; i++) await request();
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      run.child.kill('SIGINT');
      expect(await run.exited).toBe(0);
      const told = run.objects().filter(({ type, on }) => type === 'wait' && on === 'read');
      const windows = run.objects().filter(({ type }) => type === 'window');
      const counted = windows.reduce((sum, window) => sum + (SignalWindow.parse(window).network?.read.count ?? 0), 0);
      return { told, counted };
    };
    const { told, counted } = await readsOf('--reads');
    expect(told.filter(({ durationNs }) => Number(durationNs) > 150e6).length).toBeGreaterThanOrEqual(3);
    expect(counted).toBeGreaterThanOrEqual(3);
    expect(await readsOf()).toEqual({ told: [], counted: 0 });
  });

  test('what collections cost is what the runtime itself accounts, to the nanosecond', async () => {
    const run = watch('-o', 'ndjson');
    await run.untilStdout(/"type":"window"/);
    const [from, fromNs] = [await runtimeMetrics(robot), monotonicNs()];
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    const [untilNs, to] = [monotonicNs(), await runtimeMetrics(robot)];
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    run.child.kill('SIGINT');
    expect(await run.exited).toBe(0);
    const rise = (name: string): number => metric(to, name) - metric(from, name);
    const cycles = run
      .objects()
      .filter(({ type }) => type === 'cycle')
      .map((object) => Cycle.parse(object));
    const within = cycles.filter(({ atNs }) => atNs > fromNs && atNs < untilNs);
    // A collection that ends while the metrics are read may fall on either side of them: then only the others are comparable.
    const sum = (value: (cycle: z.infer<typeof Cycle>) => number): number =>
      within.reduce((total, cycle) => total + value(cycle), 0) / 1e9;
    expect(Math.abs(rise('/gc/cycles/total:gc-cycles') - within.length)).toBeLessThanOrEqual(1);
    if (rise('/gc/cycles/total:gc-cycles') === within.length) {
      expect(sum(({ assistNs }) => assistNs)).toBeCloseTo(rise('/cpu/classes/gc/mark/assist:cpu-seconds'), 6);
      expect(sum((cycle) => cycle.dedicatedNs + cycle.fractionalNs)).toBeCloseTo(
        rise('/cpu/classes/gc/mark/dedicated:cpu-seconds'),
        6,
      );
    }
    // And the windows charge what the cycles cost: no more, no less, but for what is under way at either end.
    const windows = run
      .objects()
      .filter(({ type }) => type === 'window')
      .map((object) => SignalWindow.parse(object));
    const charged =
      windows.reduce(
        (total, { gc, durationMs }) => total + (gc?.cpuShare ?? 0) * (gc?.gomaxprocs ?? 0) * durationMs,
        0,
      ) / 1e3;
    const cost =
      cycles.reduce(
        (total, { assistNs, dedicatedNs, fractionalNs }) => total + assistNs + dedicatedNs + fractionalNs,
        0,
      ) / 1e9;
    expect(charged).toBeGreaterThan(cost * 0.7);
    expect(charged).toBeLessThan(cost * 1.3 + 0.1);
  });

  test('a breach of the policy is told once, and is the exit code', async () => {
    const run = watch('-f', policyFile('tight', tight), '--duration', '7s', '-o', 'ndjson');
    expect(await run.exited).toBe(1);
    const breaches = run.objects().filter(({ type }) => type === 'breach');
    expect(breaches.length).toBeGreaterThanOrEqual(1);
    expect(breaches.length).toBeLessThanOrEqual(2);
    expect(breaches[0]).toMatchObject({
      policy: 'tight',
      unit: expect.stringMatching(/^(ns|ratio)$/),
      breachingWindows: 3,
      ofWindows: 5,
    });
  });

  test('a signal that only the team sets a limit for is judged by what the program really does', async () => {
    const own = loose.replace('thresholds: {', 'thresholds: {gcRate: 0.1, ');
    const run = watch('--duration', '6s', '-f', policyFile('own', own), '-o', 'ndjson');
    expect(await run.exited).toBe(1);
    const objects = run.objects();
    const breach = objects.find(({ type }) => type === 'breach');
    expect(breach).toMatchObject({ signal: 'gcRate', threshold: 0.1, unit: '1/s', ofWindows: 5 });
    // What it tells is the rate of one of the windows that it tells of.
    const windows = objects.filter(({ type }) => type === 'window').map((object) => SignalWindow.parse(object));
    const rates = windows.map(({ gc, durationMs }) => (gc?.cycles ?? 0) / (durationMs / 1000));
    expect(rates).toContain(breach?.observed);
  });

  test('a promise that is kept ends with 0', async () => {
    const run = watch('-f', policyFile('loose', loose), '--duration', '5s', '-o', 'ndjson');
    expect(await run.exited).toBe(0);
    expect(run.objects().filter(({ type }) => type === 'breach')).toEqual([]);
  });

  test('text is a table, and Ctrl-C ends it cleanly', async () => {
    const run = watch('-f', policyFile('loose', loose));
    await run.untilStdout(/GC stall P99 .*\n\d\d:\d\d:\d\d .* (ms|µs) /);
    run.child.kill('SIGINT');
    expect(await run.exited).toBe(0);
    expect(run.stderr()).toContain('policy loose: GC stall P99 ≤ 60.00 s');
  });

  test('a probe that is killed is started again, and the lost seconds show', async () => {
    const run = watch('-o', 'ndjson');
    await run.untilStdout(/"seq":1,/);
    const probe = await childOf(run.child.pid ?? 0, 'robotgc-probe');
    process.kill(probe, 'SIGKILL');
    await run.untilStderr(/robotgc-probe ended by SIGKILL.*\n(.*\n)*robotgc-probe was started again/);
    const seen = run.stdout().length;
    await until('windows come again', () => /"type":"window"/.test(run.stdout().slice(seen)), 10_000, 50);
    run.child.kill('SIGINT');
    expect(await run.exited).toBe(0);
    const seqs = run
      .objects()
      .filter(({ type }) => type === 'window')
      .map((object) => SignalWindow.parse(object).seq);
    expect(seqs.some((seq, index) => index > 0 && seq > (seqs[index - 1] ?? 0) + 1)).toBe(true);
  });

  test('a process that ends, ends the watch', async () => {
    const mortal = await startRobot(binary, { gogc: 50, sessions: 100 });
    const run = robotgc(['watch', '--pid', String(mortal.pid), '-o', 'ndjson']);
    await run.untilStdout(/"type":"window"/);
    await mortal.stop();
    expect(await run.exited).toBe(0);
    expect(run.stderr()).toContain(`process ${mortal.pid} (robot) has ended`);
  });

  test('a process that is no Go program is refused', async () => {
    const sleeper = spawn('sleep', ['60']);
    const run = robotgc(['watch', '--pid', String(sleeper.pid), '-o', 'ndjson']);
    expect(await run.exited).toBe(3);
    await stopChild(sleeper);
    expect(run.objects()).toEqual([
      { type: 'refused', pid: sleeper.pid, reason: 'not-go', message: expect.any(String) },
    ]);
    expect(run.stderr()).toMatch(/\(sleep\) cannot be watched: .*not a Go program/);
  });

  test("without privileges another user's process is refused, and it is said what is needed", async () => {
    const run = robotgc(['watch', '--pid', String(robot.pid), '-o', 'ndjson'], {
      wrapper: asNobody,
    });
    expect(await run.exited).toBe(3);
    expect(run.objects()).toMatchObject([{ type: 'refused', reason: 'NO_PERMISSION' }]);
    expect(run.stderr()).toMatch(/run as root or with CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE/);
  });

  describe('with the capabilities that the agent has in a cluster, on a program of another user', () => {
    const wrapper = withCapabilities('bpf', 'perfmon', 'sys_ptrace');
    let secret: string;
    let foreign: Robot;

    beforeAll(async () => {
      secret = join(folder, 'robot');
      copyFileSync(binary, secret);
      chownSync(secret, 65534, 65534);
      foreign = await startRobot(secret, { gogc: 20, uid: 65534 });
    });
    afterAll(() => foreign?.stop());

    test('they are enough', async () => {
      const run = robotgc(['watch', '--pid', String(foreign.pid), '--duration', '3s', '-o', 'ndjson'], { wrapper });
      expect(await run.exited).toBe(0);
      expect(run.objects().filter(({ type }) => type === 'window').length).toBeGreaterThanOrEqual(1);
    });

    test.each([
      { as: "its own user's rights", rights: asNobody },
      { as: 'CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH', rights: withCapabilities('sys_ptrace', 'dac_read_search') },
    ])('with $as its cycles are seen, and the rest is said to be missing', async ({ rights }) => {
      await expectBooks(foreign.pid, { wrapper: rights }, /not observed: gcPause, .*CAP_BPF, CAP_PERFMON/);
    });

    test('with CAP_SYS_PTRACE alone it says what it takes beside it', async () => {
      const run = robotgc(['watch', '--pid', String(foreign.pid), '-o', 'ndjson'], {
        wrapper: withCapabilities('sys_ptrace'),
      });
      expect(await run.exited).toBe(3);
      expect(run.objects()).toMatchObject([{ type: 'refused', reason: 'NO_PERMISSION' }]);
      expect(run.stderr()).toContain("CAP_DAC_READ_SEARCH for another user's process");
    });

    test('but not for a file that only its owner may read, and that is said', async () => {
      chmodSync(secret, 0o700);
      const run = robotgc(['watch', '--pid', String(foreign.pid), '-o', 'ndjson'], { wrapper });
      expect(await run.exited).toBe(3);
      expect(run.objects()).toMatchObject([{ type: 'refused', reason: 'unreadable' }]);
      expect(run.stderr()).toContain('chmod o+r');
    });
  });

  /** Without the probe: cycles, heap and shares from the program's own books. */
  async function expectBooks(pid: number, options: CliOptions, says: RegExp): Promise<void> {
    const run = robotgc(['watch', '--pid', String(pid), '--duration', '5s', '-o', 'ndjson'], options);
    expect(await run.exited).toBe(0);
    expect(run.stderr()).toMatch(says);
    const { missing } = Missing.parse(run.objects().find(({ type }) => type === 'watching'));
    const { signals = [] } = missing.find((each) => each.signals.includes('gcStall')) ?? {};
    expect(signals).toEqual(expect.arrayContaining(['gcPause', 'gcAssist', 'gcStall', 'kernelMemory', 'network']));
    const windows = run.objects().filter(({ type }) => type === 'window');
    expect(windows.length).toBeGreaterThanOrEqual(2);
    for (const window of windows) {
      expect(window).toMatchObject({ missing: expect.arrayContaining(signals), gcStallP99Ns: null });
    }
    expect(windows.reduce((sum, window) => sum + (SignalWindow.parse(window).gc?.cycles ?? 0), 0)).toBeGreaterThan(0);
    expect(run.objects().filter(({ type }) => type === 'pause' || type === 'refused')).toEqual([]);
  }

  test('with CAP_SYS_PTRACE alone the cycles of a process of the same user are seen', () =>
    expectBooks(
      robot.pid,
      { wrapper: withCapabilities('sys_ptrace') },
      /not observed: gcPause, .*CAP_BPF, CAP_PERFMON/,
    ));

  test('where the probe is missing the cycles are seen, and it is said', () =>
    expectBooks(
      robot.pid,
      { env: { ROBOTGC_PROBE: '/nonexistent/probe' } },
      /not observed: gcPause, .*robotgc-probe is not executable at \/nonexistent\/probe/,
    ));

  test.each([
    { args: ['watch', '--pid', '4194305'], exit: 3, says: 'there is no process 4194305' },
    { args: ['watch', '--pid', 'robot'], exit: 2, says: 'write the number of a process' },
    { args: ['watch'], exit: 2, says: "required option '--pid <pid>'" },
    { args: ['watch', '--pid', '1', '--duration', 'soon'], exit: 2, says: 'write a duration such as 20s' },
    { args: ['watch', '--pid', '1', '-f', '/nonexistent.yaml'], exit: 2, says: '/nonexistent.yaml' },
    { args: ['watch', '--pid', '1', '-o', 'xml'], exit: 2, says: 'xml' },
  ])('$args: exit $exit, $says', async ({ args, exit, says }) => {
    const run = robotgc(args);
    expect(await run.exited).toBe(exit);
    expect(run.stderr()).toContain(says);
  });

  const counted = (activity: string): string => loose.replace(/\}$/, `, activity: ${activity}}`);

  test('robots are counted by the metric that the policy names', async () => {
    const activity = `{podMetric: {port: ${robot.metricsPort}, name: robot_active_sessions}}`;
    const run = watch('-f', policyFile('by-metric', counted(activity)), '--duration', '4s', '-o', 'ndjson');
    expect(await run.exited).toBe(0);
    const windows = run.objects().filter(({ type }) => type === 'window');
    expect(windows.at(-1)?.activeRobots).toBe(4000);
  });

  test('robots are counted by the connections to a port, as they come', async () => {
    const policy = policyFile('by-connections', counted(`{tcpConnections: {port: ${robot.pprofPort}}}`));
    const sockets = [1, 2, 3].map(() => connect(robot.pprofPort, '127.0.0.1'));
    try {
      await Promise.all(sockets.map((socket) => once(socket, 'connect')));
      const run = watch('-f', policy, '--duration', '4s', '-o', 'ndjson');
      expect(await run.exited).toBe(0);
      const windows = run.objects().filter(({ type }) => type === 'window');
      expect(windows.at(-1)?.activeRobots).toBe(3);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });

  test.each([
    ['{tcpConnections: {port: 1}}', 'nothing listens on TCP port 1:'],
    ['{podMetric: {port: 1, name: robots}}', 'http://127.0.0.1:1/metrics'],
    ['{annotation: robots}', 'has no annotations: write activity.podMetric'],
  ])('why robots cannot be counted by %s is said once', async (activity, words) => {
    const run = watch('-f', policyFile('uncounted', counted(activity)), '--duration', '8s', '-o', 'ndjson');
    expect(await run.exited).toBe(0);
    expect(run.stderr().split(words)).toHaveLength(2);
    for (const { type, activeRobots } of run.objects()) if (type === 'window') expect(activeRobots).toBeNull();
  });

  test('a policy with a mistake is refused with the place of it', async () => {
    const run = watch('-f', policyFile('wrong', 'spec: {sla: {latencyP99: fast}}'));
    expect(await run.exited).toBe(2);
    expect(run.stderr()).toMatch(/latencyP99/);
  });
});

const asNobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--'];

function withCapabilities(...names: string[]): string[] {
  const set = ['-all', ...names.map((name) => `+${name}`)].join(',');
  return ['setpriv', `--bounding-set=${set}`, `--inh-caps=${set}`, '--no-new-privs', '--'];
}

/** What the cgroup does not tell stands beside it. */
const Missing = z.object({ missing: z.array(z.object({ signals: z.array(z.string()) })) });

const Cycle = z.object({ atNs: z.number(), assistNs: z.number(), dedicatedNs: z.number(), fractionalNs: z.number() });

/** The program's own count of collections, forced ones included. */
async function gcCycles(robot: Robot): Promise<number> {
  return metric(await runtimeMetrics(robot), '/gc/cycles/total:gc-cycles');
}

async function runtimeMetrics(robot: Robot): Promise<unknown> {
  const answer: unknown = await (await fetch(`http://127.0.0.1:${robot.controlPort}/runtime`)).json();
  return z.object({ metrics: z.unknown() }).parse(answer).metrics;
}

function metric(metrics: unknown, name: string): number {
  const found = z.record(z.string(), z.unknown()).parse(metrics)[name];
  return z.number().parse(found);
}

async function childOf(parent: number, comm: string): Promise<number> {
  const { openProc } = await import('../host/index.ts');
  const { readFileSync } = await import('node:fs');
  const proc = openProc();
  const pid = proc.pids().find((candidate) => {
    if (proc.comm(candidate) !== comm) return false;
    return Number(readFileSync(`/proc/${candidate}/stat`, 'utf8').split(') ')[1]?.split(' ')[1]) === parent;
  });
  if (pid === undefined) throw new Error(`process ${parent} has no child ${comm}`);
  return pid;
}
