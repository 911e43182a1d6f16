/** `robotgc watch` with a policy that lets it act: the whole loop on a real program, written to while it runs. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { z } from 'zod';
import { type CliRun, robotgc } from '../agent/testing/cli.ts';
import { buildRobot, type Robot, startRobot, whyNoHost } from '../agent/testing/robot.ts';

const missing = whyNoHost();
const Runtime = z.object({ metrics: z.object({ '/gc/gogc:percent': z.int() }) });

describe.skipIf(missing !== undefined)(`healing one process${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let binary: string;
  let folder: string;
  let robot: Robot;
  let run: CliRun | undefined;

  beforeAll(() => {
    binary = buildRobot();
  });
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'robotgc-heal-'));
    // At GOGC=10 a tenth of the CPU goes to GC, at GOGC=200 less than a hundredth.
    robot = await startRobot(binary, { gogc: 10, sessions: 12_000 });
  });
  afterEach(async () => {
    run?.child.kill('SIGKILL');
    await robot?.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  afterAll(() => {
    run = undefined;
  });

  /** GC may take `gcCpuShare` of the CPU; the other limits are out of reach. */
  function policy(gcCpuShare: string, actions: object): string {
    const file = join(folder, 'policy.yaml');
    const spec = {
      selector: { matchLabels: { app: 'robot' } },
      sla: { latencyP99: '60s', gcShareOfLatency: '100%', throughput: '1%' },
      thresholds: { gcCpuShare, memoryPressureSome: '100%', memoryPressureFull: '100%' },
      tuning: { formula: { base: 200 }, gogc: { maxStep: '5000%' } },
      actions: { mode: 'Auto', apply: ['Live'], verify: { after: '2s', window: '10s' }, ...actions },
      capture: { pprof: { port: robot.pprofPort }, duration: '8s', profiles: ['cpu'] },
    };
    const object = { apiVersion: 'robotgc.dev/v1alpha1', kind: 'RobotGCPolicy', metadata: { name: 'local' }, spec };
    writeFileSync(file, stringify(object));
    return file;
  }

  function watch(file: string): CliRun {
    run = robotgc(['watch', '--pid', String(robot.pid), '-f', file, '-o', 'ndjson', '--bundles', folder]);
    return run;
  }

  /** As the program's own runtime/metrics tell it. */
  const gogcInEffect = async (): Promise<number> => {
    const answer: unknown = await (await fetch(`http://127.0.0.1:${robot.controlPort}/runtime`)).json();
    return Runtime.parse(answer).metrics['/gc/gogc:percent'];
  };
  const find = (watching: CliRun, type: string) => watching.objects().find((object) => object.type === type);
  const kinds = (watching: CliRun) => {
    const loop = ['breach', 'diagnosis', 'action', 'verified', 'rolledBack'];
    return watching.objects().flatMap(({ type = '' }) => (loop.includes(type) ? [type] : []));
  };

  test('a breach is captured, GOGC set, and the change kept when fresh windows are better', async () => {
    const watching = watch(policy('3%', {}));
    await watching.untilStdout(/"type":"verified"/, 90_000);
    expect(kinds(watching)).toEqual(['breach', 'diagnosis', 'action', 'verified']);
    expect(find(watching, 'diagnosis')).toMatchObject({ cause: 'GogcTooLow' });
    expect(find(watching, 'action')).toMatchObject({ kind: 'Live', from: '10', to: '200', applied: true });
    expect(find(watching, 'verified')).toMatchObject({ before: { gogc: 10 }, after: { gogc: 200 } });
    expect(await gogcInEffect()).toBe(200);

    const bundle = String(find(watching, 'diagnosis')?.bundle);
    const verify = robotgc(['bundle', 'verify', bundle]);
    expect(await verify.exited).toBe(0);

    watching.child.kill('SIGINT');
    expect(await watching.exited).toBe(1);
    expect(await gogcInEffect()).toBe(200);
  }, 150_000);

  test('a change that does not bring the signal under its limit is put back exactly', async () => {
    // Nothing gets as low as that.
    const watching = watch(policy('0.01%', {}));
    await watching.untilStdout(/"type":"rolledBack"/, 90_000);
    // A second without a collection is under any limit, and the next with one a breach anew, answered as part of the first.
    expect([...new Set(kinds(watching))]).toEqual(['breach', 'diagnosis', 'action', 'rolledBack']);
    expect(find(watching, 'rolledBack')).toMatchObject({
      from: '200',
      to: '10',
      reason: expect.stringContaining('over its limit'),
    });
    expect(await gogcInEffect()).toBe(10);
  }, 150_000);

  test('what is not verified yet does not outlive the watch', async () => {
    const watching = watch(policy('3%', { verify: { after: '60s' } }));
    await watching.untilStdout(/"type":"action"/, 60_000);
    expect(await gogcInEffect()).toBe(200);
    watching.child.kill('SIGINT');
    expect(await watching.exited).toBe(1);
    expect(find(watching, 'rolledBack')).toMatchObject({ to: '10', reason: expect.stringContaining('watch ended') });
    expect(await gogcInEffect()).toBe(10);
  }, 120_000);

  test.each<[string, object, RegExp]>([
    [
      'in mode Recommend, it is told what would be done',
      { mode: 'Recommend' },
      /"to":"200".*"patch":"GOGC=200".*"applied":false/,
    ],
    [
      'without Live, it is told what would have to be allowed',
      { apply: ['Rollout'] },
      /it takes Live in actions\.apply/,
    ],
    [
      'where the program is to set it itself, it is told that a watch has no file for it',
      { liveBy: 'Program' },
      /the policy says liveBy: Program.*"applied":false/,
    ],
  ])(
    '%s, and nothing is changed',
    async (_, actions, told) => {
      const watching = watch(policy('3%', actions));
      await watching.untilStdout(/"type":"action"/, 60_000);
      expect(watching.stdout()).toMatch(told);
      watching.child.kill('SIGINT');
      expect(await watching.exited).toBe(1);
      expect(await gogcInEffect()).toBe(10);
      const bundles = readdirSync(folder).filter((name) => name.endsWith('.tar.gz'));
      expect(bundles).toHaveLength('mode' in actions ? 0 : 1);
    },
    120_000,
  );
});
