/**
 * The whole loop on a real cluster: what a team, a platform team and an auditor find after robotgc has healed a robot.
 * One cluster serves all cases, in order.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readBundle } from '../../src/bundle/index.ts';
import { SignalWindow } from '../../src/model/index.ts';
import { type Cluster, downCluster } from '../cluster/cluster.ts';
import { run } from '../cluster/run.ts';
import { verifyWithCommand } from '../demo/bundle.ts';
import { installProduct, PRODUCT_NAMESPACE, ROBOT_NAMESPACE, waitForProduct } from '../demo/deploy.ts';
import { Display } from '../demo/display.ts';
import { listIncidents } from '../demo/incident.ts';
import { resultOf } from '../demo/result.ts';
import { type Demo, type DemoOptions, runLoop, startDemo } from '../demo/run.ts';
import { agentPod, readSignals } from '../demo/signals.ts';
import { remove } from '../effect/heal.ts';
import { beginFleet, fleetTests } from './fleet-suite.ts';
import { type LeakStory, leak, leakTests } from './leak-suite.ts';
import { liveTests } from './live-suite.ts';
import { resizeTests } from './resize-suite.ts';
import { type Begun, begin, prepareStories } from './stories.ts';

const name = 'e2e';
/** All of its robots have faults: what would be a storm elsewhere is what is wanted here. */
const noStorm = ['operator.circuitBreaker.breached=100', 'operator.circuitBreaker.rolledBack=100'];
const isRoot = process.getuid?.() === 0;

describe.skipIf(!isRoot)('from a policy in YAML to a healed pod (needs root: namespaces, cgroups, eBPF)', () => {
  const options: DemoOptions = { clusterName: name, display: new Display(), signal: AbortSignal.timeout(580_000) };
  let cluster: Cluster;
  let demo: Demo;
  let work: string;

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), 'robotgc-e2e-'));
    cluster = await startDemo(options);
    demo = await runLoop(cluster, options);
  }, 600_000);

  afterAll(async () => {
    await downCluster(name);
    await rm(work, { recursive: true, force: true });
  }, 120_000);

  async function getJson<T>(schema: z.ZodType<T>, ...args: string[]): Promise<T> {
    const { stdout } = await cluster.kubectl(['get', ...args, '--output=json']);
    return schema.parse(JSON.parse(stdout));
  }

  it('ends Resolved, with the cause, the numbers before and after, and the times', () => {
    const result = resultOf(demo.incident, demo.bundle.file);
    expect(result).toMatchObject({
      phase: 'Resolved',
      cause: 'GogcTooLow',
      before: { gogc: 10 },
      after: { gogc: 100 },
    });
    expect(result.before?.gcCpuShare).toBeGreaterThan(0.05);
    expect(result.after?.gcCpuShare).toBeLessThan(0.05);
    expect(result.detectMs).toBeGreaterThan(0);
    expect(result.captureMs).toBeGreaterThan(0);
    expect(result.healMs).toBeGreaterThan(0);
  });

  it('shows the incident in kubectl with pod, trigger, phase, cause and age', async () => {
    const { stdout } = await cluster.kubectl(['get', 'rgi', `--namespace=${ROBOT_NAMESPACE}`]);
    const [head = '', row = ''] = stdout.split('\n');
    expect(head.split(/\s{2,}/)).toEqual(expect.arrayContaining(['POD', 'TRIGGER', 'PHASE', 'CAUSE', 'AGE']));
    expect(row).toMatch(/dispatch-\S+\s+gc\w+\s+Resolved\s+GogcTooLow/);
  });

  it('changed one variable of the Deployment, under a field manager that owns nothing else', async () => {
    const Deployment = z.object({
      metadata: z.object({
        annotations: z.record(z.string(), z.string()),
        managedFields: z.array(z.object({ manager: z.string(), operation: z.string(), fieldsV1: z.json() })),
      }),
      spec: z.object({ template: z.object({ spec: z.object({ containers: z.array(z.object({ env: z.json() })) }) }) }),
    });
    const args = ['deployment/dispatch', `--namespace=${ROBOT_NAMESPACE}`, '--show-managed-fields'];
    const { metadata, spec } = await getJson(Deployment, ...args);
    expect(spec.template.spec.containers[0]?.env).toEqual([{ name: 'GOGC', value: '100' }]);
    expect(metadata.annotations).toMatchObject({
      'robotgc.dev/previous': '{"GOGC":"10"}',
      'robotgc.dev/cause': `RobotGCIncident/${demo.incident.metadata.name}`,
    });
    const owned = metadata.managedFields.find(({ manager }) => manager === 'robotgc-remedy');
    expect(owned?.operation).toBe('Apply');
    expect(owned?.fieldsV1).toEqual({
      'f:metadata': { 'f:annotations': { 'f:robotgc.dev/cause': {}, 'f:robotgc.dev/previous': {} } },
      'f:spec': {
        'f:template': {
          'f:spec': {
            'f:containers': {
              'k:{"name":"robot"}': { '.': {}, 'f:name': {}, 'f:env': { 'k:{"name":"GOGC"}': expect.anything() } },
            },
          },
        },
      },
    });
  });

  it('tells the story as Events on the pod and on the incident', async () => {
    const Events = z.object({
      items: z.array(z.object({ reason: z.string(), involvedObject: z.object({ kind: z.string() }) })),
    });
    const { items } = await getJson(Events, 'events', `--namespace=${ROBOT_NAMESPACE}`);
    const reasons = (kind: string) => items.filter((e) => e.involvedObject.kind === kind).map((e) => e.reason);
    for (const kind of ['RobotGCIncident', 'Pod']) {
      expect(reasons(kind)).toEqual(
        expect.arrayContaining(['Detected', 'Captured', 'Diagnosed', 'Applied', 'Resolved']),
      );
    }
  });

  it('says in the policy status what is watched and what was derived from the SLA', async () => {
    const Policy = z.object({
      status: z.object({
        watched: z.number(),
        thresholds: z.array(z.object({ signal: z.string(), limit: z.number() })),
        conditions: z.array(z.object({ type: z.string(), status: z.string() })),
        containers: z.array(
          z.object({
            state: z.string(),
            goVersion: z.string(),
            missing: z.array(z.object({ signals: z.array(z.string()), reason: z.string() })).default([]),
          }),
        ),
      }),
    });
    const { status } = await getJson(Policy, 'rgp/dispatch', `--namespace=${ROBOT_NAMESPACE}`);
    expect(status.watched).toBe(1);
    expect(status.containers).toMatchObject([{ state: 'Watching', goVersion: expect.stringMatching(/^go1\.\d+/) }]);
    // The robot runs as another user than the agent. What is not seen is what this machine's cgroup files lack.
    const lacks = status.containers.flatMap(({ missing }) => missing);
    expect(lacks.filter(({ signals }) => signals.some((signal) => !signal.startsWith('cgroup')))).toEqual([]);
    expect(status.thresholds).toContainEqual({ signal: 'gcStallP99', limit: 30_000_000 });
    expect(status.conditions).toContainEqual({ type: 'Ready', status: 'True' });
  });

  it('left a signed bundle that the command verifies, and notices a changed byte', async () => {
    expect(await verifyWithCommand(demo.bundle)).toContain('ok');
    const damaged = join(work, 'damaged.tar.gz');
    const bytes = await import('node:fs/promises').then(({ readFile }) => readFile(demo.bundle.file));
    bytes[Math.floor(bytes.length / 2)] = (bytes[Math.floor(bytes.length / 2)] ?? 0) ^ 1;
    await writeFile(damaged, bytes);
    await expect(verifyWithCommand({ ...demo.bundle, file: damaged })).rejects.toThrow();
  });

  it('holds profiles that the Go tools read, from a pprof that listens on the pod localhost only', async () => {
    const { files, manifest } = await readBundle(demo.bundle.file);
    for (const profile of ['cpu', 'heap', 'allocs']) {
      const file = join(work, `${profile}.pprof`);
      await writeFile(file, files.get(`profiles/${profile}.pprof`) ?? new Uint8Array());
      const { stdout } = await run(['go', 'tool', 'pprof', '-top', '-nodecount=5', file]);
      expect(stdout).toContain('flat%');
    }
    const trace = join(work, 'trace.out');
    await writeFile(trace, files.get('profiles/trace.out') ?? new Uint8Array());
    const { stdout } = await run(['go', 'tool', 'trace', '-d=footprint', trace]);
    expect(stdout).not.toBe('');
    expect(new TextDecoder().decode(files.get('profiles/goroutine.txt'))).toMatch(/^goroutine \d+/m);
    expect(demo.incident.status.capture?.via).toBe('portForward');
    expect(manifest.files.every(({ sha256 }) => /^[0-9a-f]{64}$/.test(sha256))).toBe(true);
  });

  it('holds the signals up to the breach, of that container alone', async () => {
    const { files } = await readBundle(demo.bundle.file);
    const lines = new TextDecoder().decode(files.get('signals.ndjson')).trim().split('\n');
    const windows = lines.map((line) => SignalWindow.parse(JSON.parse(line)));
    expect(windows.length).toBeGreaterThanOrEqual(8);
    expect(new Set(windows.map(({ pod }) => pod.uid))).toEqual(new Set([demo.incident.spec.pod.uid]));
    expect(windows.some(({ gc }) => gc?.gogc === 10)).toBe(true);
    expect(windows.at(-1)?.activeRobots).toBe(10_000);
  });

  it.each([
    ['operator', 'delete', 'deployments.apps', ROBOT_NAMESPACE, 'no'],
    ['operator', 'get', 'secrets', ROBOT_NAMESPACE, 'no'],
    ['operator', 'create', 'pods', ROBOT_NAMESPACE, 'no'],
    ['operator', 'patch', 'deployments.apps', ROBOT_NAMESPACE, 'yes'],
    ['agent', 'patch', 'deployments.apps', ROBOT_NAMESPACE, 'no'],
    ['agent', 'get', 'secrets', ROBOT_NAMESPACE, 'no'],
    ['agent', 'create', 'pods/portforward', ROBOT_NAMESPACE, 'yes'],
    ['agent', 'create', 'pods/portforward', 'kube-system', 'no'],
  ])('lets the %s %s %s in %s: %s', async (who, verb, resource, namespace, expected) => {
    const [kind = '', subresource] = resource.split('/');
    const { stdout } = await cluster
      .kubectl([
        'auth',
        'can-i',
        verb,
        kind,
        ...(subresource === undefined ? [] : [`--subresource=${subresource}`]),
        `--as=system:serviceaccount:${PRODUCT_NAMESPACE}:robotgc-${who}`,
        `--namespace=${namespace}`,
      ])
      .catch((error: unknown) => ({ stdout: String(error) }));
    expect(stdout.trim().split('\n').at(-1)).toBe(expected);
  });

  it('goes on under another leader when the leader is killed', async () => {
    const Lease = z.object({ spec: z.object({ holderIdentity: z.string() }) });
    const leader = async () =>
      (await getJson(Lease, 'lease/robotgc-operator', `--namespace=${PRODUCT_NAMESPACE}`)).spec.holderIdentity;
    const before = await leader();
    const pod = before.replace(/-[0-9a-f]{6}$/, '');
    await cluster.kubectl(['delete', 'pod', pod, `--namespace=${PRODUCT_NAMESPACE}`, '--grace-period=0', '--force']);
    await expect.poll(leader, { timeout: 60_000, interval: 1000 }).not.toBe(before);
  });

  it('watches on after the agent was killed, and leaves the robot unharmed', async () => {
    const robotBefore = await restarts();
    const old = await agentPod(cluster);
    await cluster.kubectl(['delete', 'pod', old, `--namespace=${PRODUCT_NAMESPACE}`, '--grace-period=0', '--force']);
    await expect
      .poll(
        async () => {
          const agent = await agentPod(cluster).catch(() => old);
          if (agent === old) return 0;
          return (await readSignals(cluster, agent).catch(() => [])).filter(({ gogc }) => gogc === 100).length;
        },
        { timeout: 90_000, interval: 1000 },
      )
      .toBe(1);
    expect(await restarts()).toEqual(robotBefore);
    await sleep(3000);
    expect((await listIncidents(cluster)).filter(({ status }) => status.phase !== 'Resolved')).toEqual([]);
  });

  describe('once the platform team has switched Live on', () => {
    let hoarder: Begun<LeakStory>;

    beforeAll(async () => {
      // One large robot at a time: three crowd two cores.
      await remove(cluster, { name: 'dispatch' });
      await installProduct(cluster, ['agent.live=true', ...noStorm]);
      await Promise.all([waitForProduct(cluster), prepareStories(cluster)]);
      // Takes the longest.
      hoarder = begin(cluster, leak);
    });

    // Judged by the share of the processors that the collector takes: not in a crowd.
    describe('Live', () => liveTests(() => cluster));

    describe('and small robots have come', () => {
      let fleet: ReturnType<typeof beginFleet>;

      beforeAll(() => {
        fleet = beginFleet(cluster);
      });

      describe('Resize', () => resizeTests(() => cluster));
      fleetTests(
        () => cluster,
        () => fleet,
      );
      describe('a leak', () => leakTests(() => hoarder));
    });
  });

  async function restarts(): Promise<unknown> {
    const Pods = z.object({
      items: z.array(
        z.object({
          metadata: z.object({ name: z.string() }),
          status: z.object({ containerStatuses: z.array(z.object({ restartCount: z.number() })) }),
        }),
      ),
    });
    const { items } = await getJson(Pods, 'pods', `--namespace=${ROBOT_NAMESPACE}`, '--selector=app=dispatch');
    return items.map(({ metadata, status }) => [metadata.name, status.containerStatuses[0]?.restartCount]);
  }
});
