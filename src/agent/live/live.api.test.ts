/**
 * Live on the real API server, with the real operator, agent and robot; the test plays the Deployment controller and the kubelet.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type ControlPlane, startControlPlane } from '../../../test/cluster/control-plane.ts';
import { freePorts } from '../../../test/cluster/ports.ts';
import { createAgentAccount, installResources, type Kubectl, kubectlOf } from '../../../test/support/robots-api.ts';
import { until } from '../../../test/support/until.ts';
import type { LiveState, RobotGCIncident } from '../../api/index.ts';
import { generateKeyPair } from '../../bundle/index.ts';
import { createTransport, get, incidents, list, policies, type Transport } from '../../kube/index.ts';
import { type CliRun, robotgc } from '../testing/cli.ts';
import { makePodCgroup, type PodCgroup } from '../testing/pod-cgroup.ts';
import { buildRobot, type Robot, startRobot, stopChild, whyNoHost } from '../testing/robot.ts';

const missing = whyNoHost();
const group = `robotgc-live-test-${randomBytes(4).toString('hex')}`;
const Runtime = z.object({ metrics: z.object({ '/gc/gogc:percent': z.int() }) });

describe.skipIf(missing !== undefined)(`live settings${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let plane: ControlPlane;
  let kubectl: Kubectl;
  let transport: Transport;
  let folder: string;
  let binary: string;
  let ports: readonly number[];
  let operator: CliRun | undefined;
  let agent: CliRun | undefined;
  const cgroups: PodCgroup[] = [];
  const robots: Robot[] = [];

  beforeAll(async () => {
    binary = buildRobot();
    plane = await startControlPlane();
    transport = createTransport({ kubeconfigPath: plane.kubeconfigPath, userAgent: 'test' });
    folder = await mkdtemp(join(tmpdir(), 'robotgc-live-'));
    kubectl = kubectlOf(plane);
    await installResources(kubectl);
    await writeFile(join(folder, 'token'), await createAgentAccount(kubectl));
    await writeFile(join(folder, 'key.pem'), generateKeyPair().privatePem);
    ports = await freePorts(3);
    await startOperator();
    await startAgent();
  }, 300_000);

  afterAll(async () => {
    for (const each of [agent, operator]) if (each) await stopChild(each.child, 'SIGKILL');
    for (const robot of robots) await robot.stop();
    for (const cgroup of cgroups) await cgroup.remove();
    await transport?.close();
    await plane?.stop();
    if (folder) await rm(folder, { recursive: true, force: true });
  }, 60_000);

  test('a breach is answered in the running process, which keeps the change, also in a container that is started anew', async () => {
    // Between what it is at GOGC 10 and at 400, also where the processors are busy with others.
    const robot = await deploy('healed', { apply: ['Live', 'Rollout'] }, { gcCpuShare: '15%' });
    const done = await untilIncident('healed', 'Resolved');
    expect(done.status.actions).toMatchObject([
      { kind: 'Live', knob: 'GOGC', before: '10', after: '400', result: 'Completed' },
    ]);
    expect(done.status.verification).toMatchObject({ before: { gogc: 10 }, after: { gogc: 400 } });
    expect(await gogcOf(robot)).toBe(400);
    expect(await liveOf('healed')).toMatchObject({ state: 'Applied', gogc: 400 });

    const anew = await restartContainer('healed', robot);
    await expect.poll(() => gogcOf(anew), { timeout: 30_000 }).toBe(400);

    // An agent that is started anew knows its own value again, and reverts it when the policy goes.
    await stopChild(agent?.child ?? fail(), 'SIGKILL');
    await kubectl(['delete', 'rgp', 'healed', '--namespace=robots']);
    await startAgent();
    await expect.poll(() => gogcOf(anew), { timeout: 30_000 }).toBe(10);
    await expect.poll(() => annotationOf('deployment', 'healed'), { timeout: 10_000 }).toBe('');
  }, 180_000);

  test('a change that does not help is taken back to the exact value before', async () => {
    // Over its limit at any GOGC.
    const robot = await deploy('worse', { apply: ['Live'] }, { gcCpuShare: '0.01%' }, '3s');
    const done = await untilIncident('worse', 'RolledBack');
    expect(done.status.actions?.map(({ kind, before, after }) => [kind, before, after])).toEqual([
      ['Live', '10', '400'],
      ['Rollback', '400', '10'],
    ]);
    expect(await gogcOf(robot)).toBe(10);
    expect([await annotationOf('deployment', 'worse'), await annotationOf('pod', 'worse')]).toEqual(['', '']);
    expect(await liveOf('worse')).toMatchObject({ state: 'Reverted', gogc: 10 });
    await kubectl(['delete', 'rgp', 'worse', '--namespace=robots']);
  }, 180_000);

  test('an annotation beyond the bounds of the policy does nothing', async () => {
    const robot = await deploy('hostile', { mode: 'Auto', apply: ['Live'] }, { gcCpuShare: '99%' }, '3s');
    const { metadata } = await get(transport, policies, { namespace: 'robots', name: 'hostile' });
    const wish = { robot: { policy: metadata.uid, GOGC: { from: '10', to: '2000' } } };
    await kubectl([
      'annotate',
      'deployment',
      'hostile',
      '--namespace=robots',
      `robotgc.dev/desired=${JSON.stringify(wish)}`,
    ]);
    await expect
      .poll(() => liveOf('hostile'), { timeout: 20_000 })
      .toMatchObject({
        state: 'Refused',
        reason: 'OutOfBounds',
      });
    expect(await gogcOf(robot)).toBe(10);
    await kubectl(['delete', 'rgp', 'hostile', '--namespace=robots']);
  }, 60_000);

  async function startOperator(): Promise<void> {
    const [ingest, health] = ports;
    operator = robotgc([
      ...['operator', '--namespace', 'robots', '--data-dir', join(folder, 'operator')],
      ...['--signing-key', join(folder, 'key.pem'), '--agent-user', 'system:serviceaccount:robots:agent'],
      ...['--ingest-port', String(ingest), '--health-port', String(health), '--kubeconfig', plane.kubeconfigPath],
    ]);
    await ready(health);
  }

  async function startAgent(): Promise<void> {
    const [ingest, , health] = ports;
    agent = robotgc([
      ...['agent', '--node', 'node-1', '--operator-url', `http://127.0.0.1:${ingest}`],
      ...['--operator-token-file', join(folder, 'token'), '--state-dir', join(folder, 'agent')],
      ...['--health-port', String(health), '--kubeconfig', plane.kubeconfigPath, '--live'],
    ]);
    await ready(health);
  }

  async function ready(port: number | undefined): Promise<void> {
    const look = (): Promise<boolean> =>
      fetch(`http://127.0.0.1:${port}/readyz`).then(
        (response) => response.ok,
        () => false,
      );
    await until(`ready on port ${port}`, look, 60_000, 100).catch(withLogs);
  }

  function withLogs(error: unknown): never {
    const texts = [agent, operator].map((each) => `${each?.stdout().slice(-4000)}${each?.stderr().slice(-2000)}`);
    throw new Error(`${error}\n${texts.join('\n---\n')}`);
  }

  /** A Deployment of one pod, with its robot running, and a policy for it. */
  async function deploy(name: string, actions: object, thresholds: object, duration = '8s'): Promise<Robot> {
    const template = {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'robot', image: 'robot', env: [{ name: 'GOGC', value: '10' }] }] },
    };
    const selector = { matchLabels: { app: name } };
    const meta = { name, namespace: 'robots' };
    const owner = await apply({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: meta,
      spec: { selector, template },
    });
    await status('deployment', name, {
      observedGeneration: 1,
      replicas: 1,
      updatedReplicas: 1,
      readyReplicas: 1,
      availableReplicas: 1,
    });
    const controlledBy = (kind: string, uid: string) => [{ apiVersion: 'apps/v1', kind, name, uid, controller: true }];
    const set = await apply({
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: { ...meta, ownerReferences: controlledBy('Deployment', owner) },
      spec: { selector, template },
    });
    const uid = await apply({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...meta, labels: { app: name }, ownerReferences: controlledBy('ReplicaSet', set) },
      spec: { ...template.spec, nodeName: 'node-1', automountServiceAccountToken: false },
    });
    uids.set(name, uid);
    const robot = await startContainer(name, 0);
    await apply({
      apiVersion: 'robotgc.dev/v1alpha1',
      kind: 'RobotGCPolicy',
      metadata: meta,
      spec: {
        selector,
        sla: { latencyP99: '60s', gcShareOfLatency: '100%', throughput: '1%' },
        thresholds: { memoryPressureSome: '100%', memoryPressureFull: '100%', ...thresholds },
        tuning: { formula: { base: 400 }, gogc: { maxStep: '5000%' } },
        actions: { mode: 'Auto', fieldConflicts: 'TakeOver', verify: { after: '2s', window: '10s' }, ...actions },
        capture: { pprof: { port: robot.pprofPort }, duration, profiles: ['heap'] },
      },
    });
    return robot;
  }

  const uids = new Map<string, string>();

  async function startContainer(name: string, restartCount: number): Promise<Robot> {
    const containerId = randomBytes(32).toString('hex');
    const cgroup = makePodCgroup(group, uids.get(name) ?? fail(), containerId);
    cgroups.push(cgroup);
    const robot = await startRobot(binary, { gogc: 10, sessions: 12_000, cgroupProcs: cgroup.procsFiles });
    robots.push(robot);
    const state = { running: { startedAt: new Date().toISOString() } };
    const container = { name: 'robot', image: 'robot', imageID: 'robot', ready: true, restartCount, state };
    await status('pod', name, {
      phase: 'Running',
      podIP: '127.0.0.1',
      podIPs: [{ ip: '127.0.0.1' }],
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: [{ ...container, containerID: `containerd://${containerId}` }],
    });
    return robot;
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
    return (await get(transport, policies, { namespace: 'robots', name })).status.containers?.[0]?.live;
  }

  function annotationOf(kind: string, name: string): Promise<string> {
    return kubectl([
      'get',
      kind,
      name,
      '--namespace=robots',
      String.raw`--output=jsonpath={.metadata.annotations.robotgc\.dev/desired}`,
    ]);
  }

  function untilIncident(name: string, phase: string): Promise<RobotGCIncident> {
    return untilSome(name, ({ status }) => status.phase === phase);
  }

  async function untilSome(name: string, holds: (incident: RobotGCIncident) => boolean): Promise<RobotGCIncident> {
    let found: RobotGCIncident | undefined;
    const look = async (): Promise<boolean> => {
      found = (await list(transport, incidents, { namespace: 'robots' })).find(({ spec }) => spec.policy.name === name);
      return found !== undefined && holds(found);
    };
    await until(`an incident of ${name}`, look, 90_000, 100).catch((error: unknown) =>
      withLogs(`${error}: ${JSON.stringify(found?.status, null, 1)}`),
    );
    return found ?? fail();
  }

  async function status(kind: string, name: string, value: object): Promise<void> {
    const patch = JSON.stringify({ status: value });
    await kubectl(['patch', kind, name, '--namespace=robots', '--subresource=status', '--type=merge', '-p', patch]);
  }

  /** @returns the object's uid */
  function apply(object: object): Promise<string> {
    return kubectl(['apply', '--server-side', '--output=jsonpath={.metadata.uid}', '-f', '-'], JSON.stringify(object));
  }
});

function fail(): never {
  throw new Error('it is not there');
}
