import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { LiveState, RobotGCIncident } from '../../api/index.ts';
import { get, policies } from '../../kube/index.ts';
import { Loop } from '../testing/loop.ts';
import { buildRobot, type Robot, startRobot, stopChild, whyNoHost } from '../testing/robot.ts';

const missing = whyNoHost();
const Runtime = z.object({ metrics: z.object({ '/gc/gogc:percent': z.int() }) });

describe.skipIf(missing !== undefined)(`live settings${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let loop: Loop;
  let binary: string;

  beforeAll(async () => {
    binary = buildRobot();
    loop = await Loop.start({ agentFlags: ['--live'] });
  }, 300_000);

  afterAll(() => loop?.stop(), 60_000);

  /** Of its own for each try of a test: the incident of the one before is still there. */
  let name = '';
  beforeEach(({ task }) => {
    name = `robot-${task.id.split('_').at(-1)}-${task.result?.retryCount ?? 0}`;
  });

  test('a breach is answered in the running process, which keeps the change, also in a container that is started anew', async () => {
    // Between what it is at GOGC 10 and at 100, also where the processors are busy with others.
    const robot = await deploy(name, { apply: ['Live', 'Rollout'] }, { gcCpuShare: '12%' });
    const done = await untilPhase(name, 'Resolved');
    expect(done.status.actions).toMatchObject([
      { kind: 'Live', knob: 'GOGC', before: '10', after: '100', result: 'Completed' },
    ]);
    expect(done.status.verification).toMatchObject({ before: { gogc: 10 }, after: { gogc: 100 } });
    expect(await gogcOf(robot)).toBe(100);
    expect(await liveOf(name)).toMatchObject({ state: 'Applied', gogc: 100 });

    const anew = await restartContainer(name, robot);
    await expect.poll(() => gogcOf(anew), { timeout: 30_000 }).toBe(100);

    // An agent that is started anew knows its own value again, and reverts it when the policy goes.
    await stopChild(loop.agent.child, 'SIGKILL');
    await loop.kubectl(['delete', 'rgp', name, '--namespace=robots']);
    await loop.startAgent();
    await expect.poll(() => gogcOf(anew), { timeout: 30_000 }).toBe(10);
    await expect.poll(() => annotationOf('deployment', name), { timeout: 10_000 }).toBe('');
  }, 180_000);

  test('a change that does not help is taken back to the exact value before', async () => {
    // Over its limit at any GOGC.
    const robot = await deploy(name, { apply: ['Live'] }, { gcCpuShare: '0.01%' }, '3s');
    const done = await untilPhase(name, 'RolledBack');
    expect(done.status.actions?.map(({ kind, before, after }) => [kind, before, after])).toEqual([
      ['Live', '10', '100'],
      ['Rollback', '100', '10'],
    ]);
    expect(await gogcOf(robot)).toBe(10);
    expect([await annotationOf('deployment', name), await annotationOf('pod', name)]).toEqual(['', '']);
    expect(await liveOf(name)).toMatchObject({ state: 'Reverted', gogc: 10 });
    await loop.kubectl(['delete', 'rgp', name, '--namespace=robots']);
  }, 180_000);

  test('an annotation beyond the bounds of the policy does nothing', async () => {
    const robot = await deploy(name, { mode: 'Auto', apply: ['Live'] }, { gcCpuShare: '99%' }, '3s');
    const { metadata } = await get(loop.transport, policies, { namespace: 'robots', name: name });
    const wish = { robot: { policy: metadata.uid, GOGC: { from: '10', to: '2000' } } };
    await loop.kubectl([
      'annotate',
      'deployment',
      name,
      '--namespace=robots',
      `robotgc.dev/desired=${JSON.stringify(wish)}`,
    ]);
    await expect
      .poll(() => liveOf(name), { timeout: 20_000 })
      .toMatchObject({
        state: 'Refused',
        reason: 'OutOfBounds',
      });
    expect(await gogcOf(robot)).toBe(10);
    await loop.kubectl(['delete', 'rgp', name, '--namespace=robots']);
  }, 60_000);

  /** A Deployment of one pod, with its robot running, and a policy for it. */
  async function deploy(name: string, actions: object, thresholds: object, duration = '8s'): Promise<Robot> {
    const template = {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'robot', image: 'robot', env: [{ name: 'GOGC', value: '10' }] }] },
    };
    const selector = { matchLabels: { app: name } };
    const meta = { name, namespace: 'robots' };
    const owner = await loop.apply({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: meta,
      spec: { selector, template },
    });
    await loop.setStatus('deployment', name, {
      observedGeneration: 1,
      replicas: 1,
      updatedReplicas: 1,
      readyReplicas: 1,
      availableReplicas: 1,
    });
    const controlledBy = (kind: string, uid: string) => [{ apiVersion: 'apps/v1', kind, name, uid, controller: true }];
    const set = await loop.apply({
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: { ...meta, ownerReferences: controlledBy('Deployment', owner) },
      spec: { selector, template },
    });
    const uid = await loop.apply({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...meta, labels: { app: name }, ownerReferences: controlledBy('ReplicaSet', set) },
      spec: { ...template.spec, nodeName: Loop.node, automountServiceAccountToken: false },
    });
    uids.set(name, uid);
    const robot = await startContainer(name, 0);
    await loop.apply({
      apiVersion: 'robotgc.dev/v1alpha1',
      kind: 'RobotGCPolicy',
      metadata: meta,
      spec: {
        selector,
        sla: { latencyP99: '60s', gcShareOfLatency: '100%', throughput: '1%' },
        thresholds: { memoryPressureSome: '100%', memoryPressureFull: '100%', ...thresholds },
        tuning: { formula: { base: 100 }, gogc: { maxStep: '5000%' } },
        actions: { mode: 'Auto', fieldConflicts: 'TakeOver', verify: { after: '2s', window: '10s' }, ...actions },
        capture: { pprof: { port: robot.pprofPort }, duration, profiles: ['heap'] },
      },
    });
    return robot;
  }

  const uids = new Map<string, string>();

  async function startContainer(name: string, restartCount: number): Promise<Robot> {
    const { procsFiles } = await loop.startContainer(name, uids.get(name) ?? fail(), restartCount);
    return loop.keep(await startRobot(binary, { gogc: 10, sessions: 12_000, cgroupProcs: procsFiles }));
  }

  async function restartContainer(name: string, robot: Robot): Promise<Robot> {
    await robot.stop();
    return startContainer(name, 1);
  }

  /** As the program's own runtime/metrics tell it. */
  async function gogcOf(robot: Robot): Promise<number> {
    const answer: unknown = await (await fetch(`http://127.0.0.1:${robot.controlPort}/runtime`)).json();
    return Runtime.parse(answer).metrics['/gc/gogc:percent'];
  }

  async function liveOf(name: string): Promise<LiveState | undefined> {
    return (await get(loop.transport, policies, { namespace: 'robots', name })).status.containers?.[0]?.live;
  }

  function annotationOf(kind: string, name: string): Promise<string> {
    return loop.kubectl([
      'get',
      kind,
      name,
      '--namespace=robots',
      String.raw`--output=jsonpath={.metadata.annotations.robotgc\.dev/desired}`,
    ]);
  }

  function untilPhase(name: string, phase: string): Promise<RobotGCIncident> {
    return loop.untilIncident(name, ({ status }) => status.phase === phase);
  }
});

function fail(): never {
  throw new Error('it is not there');
}
