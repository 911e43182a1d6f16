/** `robotgc watch` with continuous tuning: GOGC of a real robot follows its sessions, though nothing is in breach. */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { z } from 'zod';
import { type CliRun, robotgc } from '../agent/testing/cli.ts';
import { makePodCgroup, type PodCgroup } from '../agent/testing/pod-cgroup.ts';
import { buildRobot, type Robot, type RobotOptions, startRobot, whyNoHost } from '../agent/testing/robot.ts';

const missing = whyNoHost();
const MIB = 2 ** 20;
const Runtime = z.object({ metrics: z.object({ '/gc/gogc:percent': z.int(), '/gc/gomemlimit:bytes': z.number() }) });

describe.skipIf(missing !== undefined)(`tuning one process${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let binary: string;
  let folder: string;
  let robot: Robot;
  let run: CliRun | undefined;
  let cgroup: PodCgroup | undefined;

  beforeAll(() => {
    binary = buildRobot();
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'robotgc-tuning-'));
  });
  afterEach(async () => {
    run?.child.kill('SIGKILL');
    await robot?.stop();
    await cgroup?.remove();
    [run, cgroup] = [undefined, undefined];
    rmSync(folder, { recursive: true, force: true });
  });

  async function begin(options: RobotOptions): Promise<void> {
    robot = await startRobot(binary, options);
  }

  /** GOGC 50 up to 2,000 robots, 25 more for each further thousand. No limit is broken unless `thresholds` says so. */
  function watch(tuning: object, actions: object, thresholds: object = {}): CliRun {
    const file = join(folder, 'policy.yaml');
    const spec = {
      selector: { matchLabels: { app: 'robot' } },
      sla: { latencyP99: '60s', gcShareOfLatency: '100%', throughput: '0%' },
      thresholds: { memoryPressureSome: '100%', memoryPressureFull: '100%', ...thresholds },
      activity: { podMetric: { port: robot.metricsPort, name: 'robot_active_sessions' } },
      tuning: { continuous: true, formula: { base: 50, baseline: 2000 }, gogc: { maxStep: '5000%' }, ...tuning },
      actions: {
        ...{ mode: 'Auto', apply: ['Live'], cooldown: '1s', verify: { after: '2s', window: '10s' } },
        ...{ budget: { actions: 100, per: '1h' }, ...actions },
      },
      capture: { pprof: { port: robot.pprofPort }, duration: '3s', profiles: ['cpu'] },
    };
    const object = { apiVersion: 'robotgc.dev/v1alpha1', kind: 'RobotGCPolicy', metadata: { name: 'local' }, spec };
    writeFileSync(file, stringify(object));
    run = robotgc(['watch', '--pid', String(robot.pid), '-f', file, '-o', 'ndjson', '--bundles', folder]);
    return run;
  }

  async function serve(sessions: number): Promise<void> {
    const url = `http://127.0.0.1:${robot.controlPort}/control`;
    const answer = await fetch(url, { method: 'PATCH', body: JSON.stringify({ sessions }) });
    expect(answer.status).toBe(200);
  }

  /** As the program's own runtime/metrics tell it. */
  async function inEffect(): Promise<{ gogc: number; goMemLimitBytes: number }> {
    const answer: unknown = await (await fetch(`http://127.0.0.1:${robot.controlPort}/runtime`)).json();
    const { metrics } = Runtime.parse(answer);
    return { gogc: metrics['/gc/gogc:percent'], goMemLimitBytes: metrics['/gc/gomemlimit:bytes'] };
  }

  const ofType = (watching: CliRun, wanted: string) => watching.objects().filter(({ type }) => type === wanted);
  const changes = (watching: CliRun) =>
    ofType(watching, 'tuning').flatMap(({ applied, knob, from, to }) => (applied ? [[knob, from, to]] : []));

  async function end(watching: CliRun, exitCode = 0): Promise<void> {
    watching.child.kill('SIGINT');
    expect(await watching.exited).toBe(exitCode);
  }

  test('GOGC follows the robots up by steps and down again, and is the program’s own once the watch ends', async () => {
    await begin({ gogc: 50, sessions: 2000 });
    const watching = watch({ gogc: { maxStep: '100%' } }, {});
    await watching.untilStdout(/"type":"tuning".*GOGC 50 is what the formula asks for/, 60_000);
    expect(changes(watching)).toEqual([]);

    await serve(8000);
    // 200 in the end, or what was set while the last ones came and is less than a tenth from it.
    await watching.untilStdout(/"type":"tuning".*"to":"(18[2-9]|19[0-9]|200)".*"applied":true/, 120_000);
    expect(changes(watching).at(0)).toEqual(['GOGC', '50', expect.stringMatching(/^(100|[5-9][0-9])$/)]);
    const { gogc } = await inEffect();
    expect(changes(watching).at(-1)).toEqual(['GOGC', expect.any(String), String(gogc)]);

    await serve(2000);
    await watching.untilStdout(new RegExp(`"type":"tuning".*"from":"${gogc}".*"applied":true`), 120_000);
    await end(watching);
    expect(ofType(watching, 'rolledBack').at(-1)).toMatchObject({ knob: 'GOGC', to: '50', reason: 'the watch ended' });
    expect(ofType(watching, 'breach')).toEqual([]);
    expect((await inEffect()).gogc).toBe(50);
  }, 400_000);

  test('with onDelete: Keep what is set outlives the watch', async () => {
    await begin({ gogc: 50, sessions: 6000 });
    const watching = watch({}, { onDelete: 'Keep' });
    await watching.untilStdout(/"type":"tuning".*"to":"150".*"applied":true/, 90_000);
    await end(watching);
    expect(watching.stderr()).toMatch(/GOGC 150 stays/);
    expect((await inEffect()).gogc).toBe(150);
  }, 150_000);

  test.each<[string, object, object]>([
    [
      'in mode Recommend, it is told what would be done',
      { mode: 'Recommend' },
      { to: '150', patch: 'GOGC=150', blockedBy: [expect.stringMatching(/^Mode: /)] },
    ],
    [
      'where the program is to set it itself, it is told that a watch has no file for it',
      { liveBy: 'Program' },
      { to: '150', blockedBy: [expect.stringMatching(/^Refused: .*liveBy: Program/)] },
    ],
    [
      'outside of the maintenance windows, it is told when the next one opens',
      { maintenanceWindows: [{ days: [dayAfterTomorrow()], from: '02:00', to: '03:00' }] },
      { to: '150', blockedBy: [expect.stringMatching(/^MaintenanceWindow: /)] },
    ],
  ])(
    '%s, and nothing is changed',
    async (_, actions, told) => {
      await begin({ gogc: 50, sessions: 6000 });
      const watching = watch({}, actions);
      await watching.untilStdout(/"type":"tuning".*"blockedBy"/, 60_000);
      expect(ofType(watching, 'tuning').at(-1)).toMatchObject({ knob: 'GOGC', from: '50', applied: false, ...told });
      await end(watching);
      expect((await inEffect()).gogc).toBe(50);
    },
    120_000,
  );

  test('under a memory limit GOGC goes no further than fits, GOMEMLIMIT holds the heap, and both go back', async () => {
    const made = makePodCgroup(`robotgc-tuning-${process.pid}`, randomUUID(), 'c');
    cgroup = made;
    const files = made.procsFiles.flatMap((procs) =>
      ['memory.max', 'memory.limit_in_bytes'].map((name) => join(dirname(procs), name)),
    );
    for (const file of files.filter((each) => existsSync(each))) writeFileSync(file, String(256 * MIB));
    await begin({ gogc: 50, sessions: 12_000, cgroupProcs: made.procsFiles });
    const before = await inEffect();
    const watching = watch({ formula: { base: 50, baseline: 1000 }, memoryLimit: { holdHeap: true } }, {});
    await watching.untilStdout(/"type":"tuning".*"knob":"GOMEMLIMIT".*"applied":true/, 120_000);
    const [first] = ofType(watching, 'tuning').filter(({ applied }) => applied);
    expect(first).toMatchObject({ knob: 'GOGC', from: '50', clampedBy: expect.arrayContaining(['memory']) });
    const tuned = await inEffect();
    expect(tuned.gogc).toBeLessThan(400);
    expect(tuned.goMemLimitBytes).toBeLessThanOrEqual(0.9 * 256 * MIB);
    await end(watching);
    expect(await inEffect()).toEqual(before);
  }, 200_000);

  test('what a breach was healed with stays, and only what tuning set afterwards goes back', async () => {
    await begin({ gogc: 10, sessions: 12_000 });
    const tuning = { formula: { base: 100, baseline: 6000 }, gogc: { maxStep: '5000%' } };
    const watching = watch(tuning, {}, { gcCpuShare: '2%' });
    await watching.untilStdout(/"type":"verified"/, 120_000);
    expect((await inEffect()).gogc).toBe(200);
    await serve(6000);
    await watching.untilStdout(/"type":"tuning".*"from":"200".*"applied":true/, 120_000);
    await end(watching, 1);
    expect(ofType(watching, 'rolledBack').at(-1)).toMatchObject({ knob: 'GOGC', to: '200' });
    expect((await inEffect()).gogc).toBe(200);
  }, 300_000);
});

/** No window of that day is open while a test runs. */
function dayAfterTomorrow(): string {
  return ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'][(new Date().getUTCDay() + 2) % 7] ?? 'Sun';
}
