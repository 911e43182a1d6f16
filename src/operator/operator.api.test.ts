/**
 * The operator on the real API server, from an incident and a bundle to a final phase. The test plays the Deployment controller, the
 * kubelet and the agent, which the bare control plane does not have; the whole cluster has its own test.
 */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type ControlPlane, startControlPlane } from '../../test/cluster/control-plane.ts';
import { freePorts } from '../../test/cluster/ports.ts';
import { isReady } from '../../test/support/ready.ts';
import { createAgentAccount, installResources, type Kubectl, kubectlOf } from '../../test/support/robots-api.ts';
import { until } from '../../test/support/until.ts';
import type { RobotGCIncident, TuningState } from '../api/index.ts';
import { FolderStore, generateKeyPair, uploadBundle, verifyBundle, writeBundle } from '../bundle/index.ts';
import {
  apply as applyTo,
  createTransport,
  get,
  incidents,
  policies,
  silentLog,
  type Transport,
} from '../kube/index.ts';
import type { SignalWindow } from '../model/index.ts';
import { DEFAULT_BREAKER } from '../remedy/index.ts';
import { T0, triggerAt, windowAt } from './incidents/testing.ts';
import { runOperator } from './main.ts';

let plane: ControlPlane;
let kubectl: Kubectl;
let transport: Transport;
let folder: string;
let url: string;
let token: string;
let publicPem: string;
let stop: AbortController;
let operator: Promise<void>;

beforeAll(async () => {
  plane = await startControlPlane();
  transport = createTransport({ kubeconfigPath: plane.kubeconfigPath, userAgent: 'test' });
  folder = await mkdtemp(join(tmpdir(), 'robotgc-operator-'));
  kubectl = kubectlOf(plane);
  await installResources(kubectl);
  token = await createAgentAccount(kubectl);
  const keys = generateKeyPair();
  publicPem = keys.publicPem;
  await writeFile(join(folder, 'key.pem'), keys.privatePem);
  const [ingestPort = 0, healthPort = 0] = await freePorts(2);
  url = `http://127.0.0.1:${ingestPort}`;
  stop = new AbortController();
  operator = runOperator(
    {
      namespace: 'robots',
      identity: 'operator-1',
      leaseName: 'robotgc-operator',
      dataDir: folder,
      signingKeyFile: join(folder, 'key.pem'),
      agentUser: 'system:serviceaccount:robots:agent',
      ingestPort,
      tls: undefined,
      healthPort,
      observeOnly: false,
      // As many incidents at once would stop a real fleet.
      breaker: { ...DEFAULT_BREAKER, breached: 100 },
      kubeconfigPath: plane.kubeconfigPath,
    },
    silentLog,
    stop.signal,
  );
  operator.catch(() => undefined);
  await until('the operator is ready', () => isReady(healthPort), 30_000, 100);
}, 120_000);

afterAll(async () => {
  stop?.abort();
  await operator;
  await transport?.close();
  await plane?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
}, 60_000);

// Each with a robot of its own, and most of it is waiting for windows.
describe.concurrent('an incident on a real API server', () => {
  it('goes from evidence to a verified remedy, leaving a signed bundle', async ({ expect }) => {
    const robot = await deployRobot('healed', { fieldConflicts: 'TakeOver' });
    const incident = await openIncident(robot);
    await deliver(incident, robot);
    await untilPhase(incident, 'Acting', () => report(robot, 'old', 0.2, 10));
    expect(await readdir(join(folder, 'incoming'))).not.toContain('robots_healed.tar.gz');
    await expect.poll(() => gogcOf(robot.name), { timeout: 20_000 }).toBe('100');
    await completeRollout(robot, '100');
    const done = await untilPhase(incident, 'Resolved', () => report(robot, 'new', 0.02, 100));

    expect(done.status.actions).toMatchObject([
      { kind: 'Rollout', before: '10', after: '100', result: 'Completed', previousManagers: ['kubectl'] },
    ]);
    expect(done.status.verification).toMatchObject({ verdict: 'Better', before: { gogc: 10 }, after: { gogc: 100 } });
    expect(done.status.cause).toBe('GogcTooLow');
    const { bundle } = done.status;
    const file = join(folder, 'bundles', bundle?.uri.replace('folder:', '') ?? '');
    const verified = await verifyBundle(file, { publicKey: publicPem });
    expect(verified).toMatchObject({ ok: true, signature: 'valid', sha256: bundle?.sha256 });
    expect(verified.manifest?.files.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['analysis.json', 'incident.json', 'owner.yaml', 'signals.ndjson']),
    );
  });

  it('rolls back to the exact value before when the remedy does not help', async ({ expect }) => {
    const robot = await deployRobot('worse', { fieldConflicts: 'TakeOver' });
    const incident = await openIncident(robot);
    await deliver(incident, robot);
    await untilPhase(incident, 'Acting', () => report(robot, 'old', 0.2, 10));
    await expect.poll(() => gogcOf(robot.name), { timeout: 20_000 }).toBe('100');
    await completeRollout(robot, '100');
    await untilPhase(incident, 'Acting', () => report(robot, 'new', 0.25, 100), 'Verifying');
    await expect.poll(() => gogcOf(robot.name), { timeout: 20_000 }).toBe('10');
    await completeRollout(robot, '10');
    const done = await untilPhase(incident, 'RolledBack', () => Promise.resolve());
    expect(done.status.actions?.map(({ kind, before, after }) => [kind, before, after])).toEqual([
      ['Rollout', '10', '100'],
      ['Rollback', '100', '10'],
    ]);
  });

  it('does not touch a field that another manager owns, and says whose it is', async ({ expect }) => {
    const robot = await deployRobot('owned', { fieldConflicts: 'Refuse' });
    const incident = await openIncident(robot);
    await deliver(incident, robot);
    const done = await untilPhase(incident, 'Escalated', () => report(robot, 'old', 0.2, 10));
    expect(done.status.message).toContain('owned by kubectl');
    expect(await gogcOf(robot.name)).toBe('10');
    const status = await kubectl([
      'get',
      'rgp',
      robot.name,
      '--namespace=robots',
      '--output=jsonpath={.status.conditions}',
    ]);
    expect(JSON.parse(status)).toContainEqual(expect.objectContaining({ type: 'Conflict', status: 'True' }));
  });

  it('recommends a patch that kubectl applies as it is', async ({ expect }) => {
    const robot = await deployRobot('advised', { mode: 'Recommend' });
    const incident = await openIncident(robot);
    await deliver(incident, robot);
    const done = await untilPhase(incident, 'Observed', () => report(robot, 'old', 0.2, 10));
    expect(await gogcOf(robot.name)).toBe('10');
    await kubectl(
      ['apply', '--server-side', '--force-conflicts', '--field-manager=robotgc-remedy', '-f', '-'],
      done.status.plan?.patch,
    );
    expect(await gogcOf(robot.name)).toBe('100');
  });

  it('makes the change that a person approved, with their name in the incident', async ({ expect }) => {
    const robot = await deployRobot('approved', { mode: 'Recommend', fieldConflicts: 'TakeOver' });
    const incident = await openIncident(robot);
    await deliver(incident, robot);
    const offered = await untilPhase(incident, 'Observed', () => report(robot, 'old', 0.2, 10));
    expect(offered.status.approval).toMatchObject({ state: 'Offered' });
    expect(offered.status.message).toContain('kubectl robotgc approve -n robots approved');
    for (let second = 0; second < 10; second++) {
      await report(robot, 'old', 0.2, 10);
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
    const other = { at: new Date().toISOString(), change: { kind: 'Rollout', knob: 'GOGC', from: '10', to: '400' } };
    await annotateApproval(robot.name, 'jane', JSON.stringify(other));
    const refused = await untilApproval(robot, 'Refused');
    expect(refused.status.approval).toMatchObject({
      by: 'jane',
      reason: expect.stringContaining('jane approved GOGC 10 → 400'),
    });
    expect(await gogcOf(robot.name)).toBe('10');

    const seen = { at: new Date().toISOString(), change: { ...other.change, to: '100' } };
    await annotateApproval(robot.name, 'jane', JSON.stringify(seen));
    await untilApproval(robot, 'Accepted');
    await expect.poll(() => gogcOf(robot.name), { timeout: 20_000 }).toBe('100');
    await completeRollout(robot, '100');
    const done = await untilPhase(incident, 'Resolved', () => report(robot, 'new', 0.02, 100));
    expect(done.status.approval).toMatchObject({ state: 'Accepted', by: 'jane', at: seen.at });
  });

  it('keeps the evidence until the status names it, whoever else writes to the incident meanwhile', async ({
    expect,
  }) => {
    const robot = await deployRobot('contended', { mode: 'Recommend' });
    const incident = await openIncident(robot);
    const stop = new AbortController();
    // Every write makes the operator's own, decided on the version before, a Conflict.
    const writing = (async () => {
      for (let i = 0; !stop.signal.aborted; i++) {
        const status = { capture: { startedAt: new Date().toISOString(), files: i } };
        const { name, namespace } = incident.metadata;
        await applyTo(
          transport,
          incidents,
          { metadata: { name, namespace }, status },
          { fieldManager: 'robotgc-agent', subresource: 'status' },
        );
      }
    })();
    await deliver(incident, robot);
    for (let second = 0; second < 3; second++) {
      await report(robot, 'old', 0.2, 10);
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
    stop.abort();
    await writing;
    const done = await untilPhase(incident, 'Observed', () => report(robot, 'old', 0.2, 10));
    expect(done.status.bundle?.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it('hands a bundle that is not one to people, and forgets it', async ({ expect }) => {
    const robot = await deployRobot('garbled', {});
    const incident = await openIncident(robot);
    const file = join(folder, 'garbage');
    await writeFile(file, 'this is not a bundle');
    const { createHash } = await import('node:crypto');
    const sha256 = createHash('sha256')
      .update(await readFile(file))
      .digest('hex');
    await send(incident, file, sha256);
    const done = await untilPhase(incident, 'Escalated', () => Promise.resolve());
    expect(done.status.message).toContain('not sound');
  });

  it('refuses the evidence of another incident', async ({ expect }) => {
    const robot = await deployRobot('swapped', {});
    const other = await openIncident(robot, 'swapped-other');
    const incident = await openIncident(robot);
    await deliver({ ...incident, metadata: { ...incident.metadata, uid: other.metadata.uid } }, robot);
    const done = await untilPhase(incident, 'Escalated', () => Promise.resolve());
    expect(done.status.message).toContain('not about this one');
  });

  it('chains the bundles of one policy', async ({ expect }) => {
    const store = new FolderStore(join(folder, 'bundles'));
    const robot = await deployRobot('chained', { mode: 'Observe' });
    for (const round of [1, 2]) {
      const incident = await openIncident(robot, `chained-${round}`);
      await deliver(incident, robot);
      await untilPhase(incident, 'Observed', () => report(robot, 'old', 0.2, 10));
    }
    const { bundles } = await store.chain('robots/chained');
    expect(bundles.map(({ previous }) => previous)).toEqual([null, bundles[0]?.sha256]);
  });
});

describe('continuous tuning on a real API server', () => {
  it('follows the active robots up and down, live, without any breach, and says so', async ({ expect, task }) => {
    const continuous = { activity: { tcpConnections: { port: 8080 } }, tuning: { continuous: true } };
    const often = { cooldown: '2s', budget: { actions: 20 } };
    // Windows of a try before would count too.
    const name = `followed-${task.result?.retryCount ?? 0}`;
    const robot = await deployRobot(name, { apply: ['Live'], ...often }, continuous);
    await markServing(robot, 'old');
    await sayLive(robot, undefined);
    const wished = (to: string) => ({ policy: robot.policyUid, GOGC: { from: '50', to, underBytes: 512 * 2 ** 20 } });

    await serveWith(robot, 10_000, 50, async () => (await desiredOf(name)) !== '');
    expect(JSON.parse(await desiredOf(name))).toEqual({ robot: wished('100') });
    await until('the pod is told', async () => (await podDesired(robot)) === (await desiredOf(name)), 10_000);
    await sayLive(robot, 100);
    await serveWith(robot, 10_000, 100, async () => (await tuningOf(robot))?.actions?.at(-1)?.result === 'Completed');
    expect(await tuningOf(robot)).toMatchObject({
      owner: { kind: 'Deployment', name },
      activeRobots: 10_000,
      actions: [{ kind: 'Live', knob: 'GOGC', before: '50', after: '100' }],
    });

    // By a step in between, where windows of both loads are in the mean; to a tenth.
    let gogc = 100;
    while (gogc > 55) {
      // An annotation too is a new generation of a Deployment, and its controller says at once that there is nothing to roll out.
      await markComplete(robot);
      const before = gogc;
      await serveWith(robot, 5000, gogc, async () => (await desiredGogcOf(name)) !== before);
      gogc = await desiredGogcOf(name);
      expect(gogc).toBeLessThan(before);
      await sayLive(robot, gogc);
      await markComplete(robot);
      await serveWith(robot, 5000, gogc, async () => (await tuningOf(robot))?.actions?.at(-1)?.result === 'Completed');
    }
    expect(JSON.parse(await desiredOf(name))).toEqual({ robot: wished(String(gogc)) });
    const events = await kubectl(['get', 'events', '--namespace=robots', '--output=jsonpath={.items[*].message}']);
    expect(events).toContain(`GOGC 50 → 100 on Deployment ${name} is in effect. GOGC 100 by the formula for 10000`);
  });
});

/** The kubelet: the pod runs and is ready. */
async function markServing(robot: Robot, pod: string): Promise<void> {
  const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
  const patch = ['--subresource=status', '--type=merge', '-p', JSON.stringify({ status })];
  await kubectl(['patch', 'pod', `${robot.name}-${pod}-1`, '--namespace=robots', ...patch]);
}

/** The agent: the container is watched, and GOGC stands in its process. */
async function sayLive(robot: Robot, gogc: number | undefined): Promise<void> {
  const live = gogc === undefined ? {} : { live: { state: 'Applied', gogc, at: new Date().toISOString() } };
  const state = { pod: `${robot.name}-old-1`, container: 'robot', node: 'node-1', state: 'Watching', ...live };
  const body = { metadata: { name: robot.name, namespace: 'robots' }, status: { containers: [state] } };
  await applyTo(transport, policies, body, { fieldManager: 'robotgc-agent-node-1', subresource: 'status' });
}

/** So many robots each second, as the agent reports them, from ten seconds ago until `done`. */
async function serveWith(robot: Robot, robots: number, gogc: number, done: () => Promise<boolean>): Promise<void> {
  const windowAgo = (seconds: number) => ({
    ...windowOf(robot, 'old', Date.now() - seconds * 1000, 0.02, gogc),
    activeRobots: robots,
  });
  await sendWindows(Array.from({ length: 10 }, (_, i) => windowAgo(10 - i)));
  await until(
    `${robots} robots are followed`,
    async () => {
      await sendWindows([windowAgo(0)]);
      return done();
    },
    30_000,
    1000,
  );
}

async function desiredOf(name: string): Promise<string> {
  const path = '--output=jsonpath={.metadata.annotations.robotgc\\.dev/desired}';
  return (await kubectl(['get', 'deployment', name, '--namespace=robots', path])).trim();
}

async function desiredGogcOf(name: string): Promise<number> {
  const Desired = z.object({ robot: z.object({ GOGC: z.object({ to: z.coerce.number() }) }) });
  return Desired.parse(JSON.parse(await desiredOf(name))).robot.GOGC.to;
}

async function podDesired({ name }: Robot): Promise<string> {
  const path = '--output=jsonpath={.metadata.annotations.robotgc\\.dev/desired}';
  return (await kubectl(['get', 'pod', `${name}-old-1`, '--namespace=robots', path])).trim();
}

async function tuningOf({ name }: Robot): Promise<TuningState | undefined> {
  return (await get(transport, policies, { name, namespace: 'robots' })).status.tuning?.[0];
}

async function annotateApproval(name: string, by: string, approval: string): Promise<void> {
  const annotations = [`robotgc.dev/approved-by=${by}`, `robotgc.dev/approval=${approval}`];
  await kubectl(['annotate', '--overwrite', 'rgi', name, '--namespace=robots', ...annotations]);
}

async function untilApproval(robot: Robot, state: string): Promise<RobotGCIncident> {
  const ref = { name: robot.name, namespace: 'robots' };
  const is = async () => {
    await report(robot, 'old', 0.2, 10);
    return (await get(transport, incidents, ref)).status.approval?.state === state;
  };
  await until(`the approval is ${state}`, is, 30_000, 1000);
  return get(transport, incidents, ref);
}

interface Robot {
  readonly name: string;
  readonly policyUid: string;
  readonly deploymentUid: string;
  readonly pods: Map<string, string>;
}

async function deployRobot(name: string, actions: object, more: object = {}): Promise<Robot> {
  const policy = await apply({
    apiVersion: 'robotgc.dev/v1alpha1',
    kind: 'RobotGCPolicy',
    metadata: { name, namespace: 'robots' },
    spec: {
      selector: { matchLabels: { app: name } },
      sla: { latencyP99: '200ms' },
      tuning: { gogc: { maxStep: '900%' } },
      actions: { mode: 'Auto', apply: ['Rollout'], verify: { after: '1s', window: '10s' }, ...actions },
      ...more,
    },
  });
  const template = (gogc: string) => ({
    metadata: { labels: { app: name } },
    spec: {
      containers: [
        {
          name: 'robot',
          image: 'robot',
          env: [{ name: 'GOGC', value: gogc }],
          resources: { limits: { memory: '512Mi' } },
        },
      ],
    },
  });
  const deployment = await apply({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'robots' },
    spec: { replicas: 1, selector: { matchLabels: { app: name } }, template: template('10') },
  });
  const robot: Robot = {
    name,
    policyUid: policy.metadata.uid,
    deploymentUid: deployment.metadata.uid,
    pods: new Map(),
  };
  await markComplete(robot);
  await addPod(robot, 'old', '10');
  return robot;
}

/** What the Deployment controller and the kubelet would do: a ReplicaSet and a running pod with the new setting. */
async function completeRollout(robot: Robot, gogc: string): Promise<void> {
  await addPod(robot, `new-${gogc}` === 'new-100' ? 'new' : 'restored', gogc);
  await markComplete(robot);
}

async function addPod(robot: Robot, suffix: string, gogc: string): Promise<void> {
  const labels = { app: robot.name };
  const spec = { containers: [{ name: 'robot', image: 'robot', env: [{ name: 'GOGC', value: gogc }] }] };
  const owner = (kind: string, name: string, uid: string) => [
    { apiVersion: 'apps/v1', kind, name, uid, controller: true },
  ];
  const set = await apply({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${robot.name}-${suffix}`,
      namespace: 'robots',
      ownerReferences: owner('Deployment', robot.name, robot.deploymentUid),
    },
    spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  });
  const pod = await apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `${robot.name}-${suffix}-1`,
      namespace: 'robots',
      labels,
      ownerReferences: owner('ReplicaSet', set.metadata.name, set.metadata.uid),
    },
    spec: { ...spec, automountServiceAccountToken: false },
  });
  robot.pods.set(suffix, pod.metadata.uid);
}

async function markComplete({ name }: Robot): Promise<void> {
  const { metadata } = await getObject('deployment', name);
  const status = {
    observedGeneration: metadata.generation,
    replicas: 1,
    updatedReplicas: 1,
    readyReplicas: 1,
    availableReplicas: 1,
  };
  await kubectl([
    'patch',
    'deployment',
    name,
    '--namespace=robots',
    '--subresource=status',
    '--type=merge',
    '-p',
    JSON.stringify({ status }),
  ]);
}

async function openIncident(robot: Robot, name = robot.name): Promise<RobotGCIncident> {
  const now = Date.now();
  await apply({
    apiVersion: 'robotgc.dev/v1alpha1',
    kind: 'RobotGCIncident',
    metadata: { name, namespace: 'robots' },
    spec: {
      policy: { name: robot.name, uid: robot.policyUid, generation: 1 },
      pod: { name: `${robot.name}-old-1`, uid: robot.pods.get('old') },
      container: { name: 'robot', id: 'containerd://1' },
      node: 'node-1',
      trigger: triggerAt(now),
    },
  });
  return get(transport, incidents, { namespace: 'robots', name });
}

function windowOf(robot: Robot, pod: string, endMs: number, share: number, gogc: number): SignalWindow {
  const window = windowAt(endMs - T0, share + Math.random() / 1000, gogc);
  return {
    ...window,
    seq: Math.floor(endMs / 1000),
    pod: { namespace: 'robots', name: `${robot.name}-${pod}-1`, uid: robot.pods.get(pod) ?? '' },
  };
}

async function deliver(incident: RobotGCIncident, robot: Robot): Promise<void> {
  const now = Date.now();
  const windows = Array.from({ length: 12 }, (_, i) => windowOf(robot, 'old', now - (12 - i) * 1000, 0.2, 10));
  const file = join(folder, `${incident.metadata.name}.tar.gz`);
  const written = await writeBundle(
    [
      {
        path: 'signals.ndjson',
        content: new TextEncoder().encode(windows.map((w) => `${JSON.stringify(w)}\n`).join('')),
        source: 'test',
      },
    ],
    {
      incident: { namespace: 'robots', name: incident.metadata.name, uid: incident.metadata.uid },
      policy: {},
      createdAt: new Date(now).toISOString(),
      node: 'node-1',
      tools: {},
    },
    { file },
  );
  await send(incident, file, written.sha256);
}

async function send({ metadata }: RobotGCIncident, file: string, sha256: string): Promise<void> {
  await uploadBundle({
    url: `${url}/v1/bundles/robots/${metadata.name}`,
    token,
    file,
    sha256,
    incident: { namespace: 'robots', name: metadata.name, uid: metadata.uid },
    signal: AbortSignal.timeout(30_000),
    // The operator's cache may be a moment behind the creation of the incident.
    retry: { tries: 10 },
  });
}

async function report(robot: Robot, pod: string, share: number, gogc: number): Promise<void> {
  await sendWindows([windowOf(robot, pod, Date.now(), share, gogc)]);
}

async function sendWindows(windows: readonly SignalWindow[]): Promise<void> {
  const body = windows.map((window) => `${JSON.stringify(window)}\n`).join('');
  const response = await fetch(`${url}/v1/windows`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body,
  });
  expect(response.status).toBe(204);
}

/** Reports once a second, as an agent does, until the incident is in the phase (after having been in another, if one is named). */
async function untilPhase(
  { metadata }: RobotGCIncident,
  phase: string,
  meanwhile: () => Promise<void>,
  after?: string,
): Promise<RobotGCIncident> {
  let seenAfter = after === undefined;
  for (let second = 0; second < 60; second++) {
    const incident = await get(transport, incidents, metadata);
    if (incident.status.phase === after) seenAfter = true;
    if (seenAfter && incident.status.phase === phase) return incident;
    await meanwhile();
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  const { status } = await get(transport, incidents, metadata);
  throw new Error(`still ${status.phase}: ${status.message}`);
}

const Meta = z.object({ metadata: z.object({ name: z.string(), uid: z.string(), generation: z.number().default(0) }) });

async function apply(object: object): Promise<z.infer<typeof Meta>> {
  return Meta.parse(
    JSON.parse(await kubectl(['apply', '--server-side', '--output=json', '-f', '-'], JSON.stringify(object))),
  );
}

async function getObject(kind: string, name: string): Promise<z.infer<typeof Meta>> {
  return Meta.parse(JSON.parse(await kubectl(['get', kind, name, '--namespace=robots', '--output=json'])));
}

async function gogcOf(name: string): Promise<string> {
  const path = '{.spec.template.spec.containers[0].env[0].value}';
  return (await kubectl(['get', 'deployment', name, '--namespace=robots', `--output=jsonpath=${path}`])).trim();
}
