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
import { createAgentAccount, installResources, type Kubectl, kubectlOf } from '../../test/support/robots-api.ts';
import { until } from '../../test/support/until.ts';
import type { RobotGCIncident } from '../api/index.ts';
import { FolderStore, generateKeyPair, uploadBundle, verifyBundle, writeBundle } from '../bundle/index.ts';
import { apply as applyTo, createTransport, get, incidents, silentLog, type Transport } from '../kube/index.ts';
import type { SignalWindow } from '../model/index.ts';
import { T0, windowAt } from './incidents/testing.ts';
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
      kubeconfigPath: plane.kubeconfigPath,
    },
    silentLog,
    stop.signal,
  );
  operator.catch(() => undefined);
  const ready = (): Promise<boolean> =>
    fetch(`http://127.0.0.1:${healthPort}/readyz`).then(
      (response) => response.ok,
      () => false,
    );
  await until('the operator is ready', ready, 30_000, 100);
}, 120_000);

afterAll(async () => {
  stop?.abort();
  await operator;
  await transport?.close();
  await plane?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
}, 60_000);

describe('an incident on a real API server', () => {
  it('goes from evidence to a verified remedy, leaving a signed bundle', async () => {
    const robot = await deployRobot('healed', { fieldConflicts: 'TakeOver' });
    const incident = await openIncident(robot);
    await deliver(incident, robot);
    await untilPhase(incident, 'Acting', () => report(robot, 'old', 0.2, 10));
    expect(await readdir(join(folder, 'incoming'))).toEqual([]);
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
  }, 120_000);

  it('rolls back to the exact value before when the remedy does not help', async () => {
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
  }, 120_000);

  it('does not touch a field that another manager owns, and says whose it is', async () => {
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
  }, 60_000);

  it('recommends a patch that kubectl applies as it is', async () => {
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
  }, 60_000);

  it('keeps the evidence until the status names it, whoever else writes to the incident meanwhile', async () => {
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
  }, 60_000);

  it('hands a bundle that is not one to people, and forgets it', async () => {
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
  }, 60_000);

  it('refuses the evidence of another incident', async () => {
    const robot = await deployRobot('swapped', {});
    const other = await openIncident(robot, 'swapped-other');
    const incident = await openIncident(robot);
    await deliver({ ...incident, metadata: { ...incident.metadata, uid: other.metadata.uid } }, robot);
    const done = await untilPhase(incident, 'Escalated', () => Promise.resolve());
    expect(done.status.message).toContain('not about this one');
  }, 60_000);

  it('chains the bundles of one policy', async () => {
    const store = new FolderStore(join(folder, 'bundles'));
    const robot = await deployRobot('chained', { mode: 'Observe' });
    for (const round of [1, 2]) {
      const incident = await openIncident(robot, `chained-${round}`);
      await deliver(incident, robot);
      await untilPhase(incident, 'Observed', () => report(robot, 'old', 0.2, 10));
    }
    const { bundles } = await store.chain('robots/chained');
    expect(bundles.map(({ previous }) => previous)).toEqual([null, bundles[0]?.sha256]);
  }, 60_000);
});

interface Robot {
  readonly name: string;
  readonly policyUid: string;
  readonly deploymentUid: string;
  readonly pods: Map<string, string>;
}

async function deployRobot(name: string, actions: object): Promise<Robot> {
  const policy = await apply({
    apiVersion: 'robotgc.dev/v1alpha1',
    kind: 'RobotGCPolicy',
    metadata: { name, namespace: 'robots' },
    spec: {
      selector: { matchLabels: { app: name } },
      sla: { latencyP99: '200ms' },
      tuning: { gogc: { maxStep: '900%' } },
      actions: { mode: 'Auto', apply: ['Rollout'], verify: { after: '1s', window: '10s' }, ...actions },
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
      trigger: {
        signal: 'gcCpuShare',
        observed: 0.2,
        threshold: 0.05,
        unit: 'ratio',
        breachingWindows: 3,
        ofWindows: 5,
        firstBreachAt: new Date(now - 2000).toISOString(),
        detectedAt: new Date(now).toISOString(),
      },
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
  const body = JSON.stringify(windowOf(robot, pod, Date.now(), share, gogc));
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
