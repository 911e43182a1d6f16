/** From a breach to an incident on the real API server: once, also when it is away, and honest when the evidence finds no room. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ApiRig } from '../../../test/support/api-rig.ts';
import { installResources, kubectlOf } from '../../../test/support/robots-api.ts';
import { Outbox, readBundle } from '../../bundle/index.ts';
import { openProc } from '../../host/index.ts';
import { apply, incidents, list, policies, silentLog } from '../../kube/index.ts';
import { ContainerStatusController } from '../containers/status-controller.ts';
import { Recorder } from '../evidence/index.ts';
import { pod, policy as policyObject, stallOverLimit } from '../testing/objects.ts';
import type { Detection } from './incident.ts';
import { PprofWays } from './pprof-ways.ts';
import { Responder } from './responder.ts';

let api: ApiRig;
let folder: string;
const never = new AbortController().signal;

beforeAll(async () => {
  api = await ApiRig.start();
  folder = await mkdtemp(join(tmpdir(), 'robotgc-responder-'));
  await installResources(kubectlOf(api.plane));
}, 300_000);
afterAll(async () => {
  await api?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

const stored = (name: string) =>
  list(api.direct, incidents, { namespace: 'robots' }).then((all) =>
    all.filter(({ spec }) => spec.policy.name === name),
  );

/** A breach of a policy that exists, in a pod without a pprof. */
async function detection(name: string): Promise<Detection> {
  const spec = {
    selector: { matchLabels: { app: name } },
    sla: { latencyP99: '200ms' },
    capture: { duration: '1s' },
  };
  const made = await apply(
    api.direct,
    policies,
    { metadata: { name, namespace: 'robots' }, spec },
    { fieldManager: 'test' },
  );
  return {
    policy: made,
    pod: pod(`${name}-0`, { status: { podIP: '' } }),
    container: 'robot',
    containerId: 'a'.repeat(64),
    node: 'node-1',
    breach: { type: 'breach', ...stallOverLimit },
    detectedAt: new Date('2026-01-01T00:00:03Z'),
  };
}

async function responder(name: string, budgetBytes: number): Promise<{ responder: Responder; outbox: Outbox }> {
  const outbox = await Outbox.open(join(folder, name), { budgetBytes });
  const proc = openProc();
  const ways = new PprofWays({
    transport: api.direct,
    proc,
    allowNetworkNamespace: false,
    subject: () => undefined,
    onChange: () => {},
  });
  const sampler = { inspect: () => null, captureBegins: () => () => {} };
  const options = {
    transport: api.direct,
    sampler,
    ways,
    proc,
    outbox,
    scratchDir: folder,
    log: silentLog,
    onBundle: () => {},
    onCaptured: () => {},
  };
  return { responder: new Responder(options), outbox };
}

describe('Responder', () => {
  test('answering one breach twice makes one incident', async () => {
    const breach = await detection('twice');
    const { responder: first, outbox } = await responder('twice', 1e9);
    await first.respond(breach, new Recorder(), never);
    const [before] = await stored('twice');
    await first.respond(breach, new Recorder(), never);
    const all = await stored('twice');
    expect(all).toHaveLength(1);
    expect(all[0]?.metadata.uid).toBe(before?.metadata.uid);
    expect(all[0]?.spec.trigger).toMatchObject({
      signal: 'gcStallP99',
      observed: 42e6,
      detectedAt: '2026-01-01T00:00:03.000Z',
    });
    // What could not be had is told, what could is kept.
    expect(all[0]?.status.capture).toMatchObject({
      failures: [{ kind: 'pprof', message: expect.stringContaining('portForward') }],
    });
    const [item] = await outbox.pending();
    const bundle = await readBundle(item?.file ?? '');
    expect(bundle.manifest.incident.uid).toBe(before?.metadata.uid);
    expect([...bundle.files.keys()]).toContain('signals.ndjson');
  });

  test('an API server that is away gets the incident when it is back', async () => {
    const breach = await detection('away');
    const { responder: patient, outbox } = await responder('away', 1e9);
    await api.plane.apiserver.stop('SIGKILL');
    const answered = patient.respond(breach, new Recorder(), never);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    await api.plane.apiserver.start();
    await answered;
    expect(await stored('away')).toHaveLength(1);
    expect(await outbox.pending()).toHaveLength(1);
  });

  test('evidence that finds no room is told in the incident, and leaves nothing behind', async () => {
    const breach = await detection('full');
    const { responder: cramped, outbox } = await responder('full', 10);
    await cramped.respond(breach, new Recorder(), never);
    const [incident] = await stored('full');
    expect(incident?.status.capture).toMatchObject({
      files: 0,
      failures: [{ kind: 'pprof' }, { kind: 'bundle', code: 'outbox-full' }],
    });
    expect(incident?.status.capture?.sha256).toBeUndefined();
    expect(await outbox.pending()).toEqual([]);
    expect((await readdir(folder)).filter((name) => name.endsWith('.tar.gz'))).toEqual([]);
  });

  test('a policy that the API server does not take is no endless loop', async () => {
    const breach = await detection('invalid');
    const invalid = { ...breach, breach: { ...breach.breach, firstBreachAt: 'yesterday' } };
    const { responder: honest } = await responder('invalid', 1e9);
    await expect(honest.respond(invalid, new Recorder(), never)).rejects.toMatchObject({ code: 'Invalid' });
  });
});

describe('ContainerStatusController', () => {
  test('each node owns its own entries of the list, and gives them up', async () => {
    const { policy } = await detection('shared');
    const store = { get: () => policy };
    const entry = (node: string, podName: string) => ({
      pod: podName,
      container: 'robot',
      node,
      state: 'Watching' as const,
    });
    const listed = async () =>
      (await list(api.direct, policies, { namespace: 'robots' })).find(({ metadata }) => metadata.name === 'shared')
        ?.status.containers ?? [];
    let onOne = [entry('one', 'a'), entry('one', 'b')];
    const controller = (node: string, desired: () => ReturnType<typeof entry>[]) =>
      new ContainerStatusController({ transport: api.direct, node, store, desired, refusal: () => undefined });
    const one = controller('one', () => onOne);
    const two = controller('two', () => [entry('two', 'c')]);
    await one.reconcile('robots/shared', never);
    await two.reconcile('robots/shared', never);
    expect((await listed()).map(({ pod: name }) => name).sort()).toEqual(['a', 'b', 'c']);
    onOne = [entry('one', 'b')];
    await one.reconcile('robots/shared', never);
    expect((await listed()).map(({ pod: name }) => name).sort()).toEqual(['b', 'c']);
    onOne = [];
    await one.reconcile('robots/shared', never);
    expect((await listed()).map(({ pod: name }) => name)).toEqual(['c']);
  });

  test('a policy that is gone meanwhile is no failure', async () => {
    const gone = policyObject('gone');
    const controller = new ContainerStatusController({
      transport: api.direct,
      node: 'one',
      store: { get: () => gone },
      refusal: () => undefined,
      desired: () => [{ pod: 'a', container: 'robot', node: 'one', state: 'Watching' }],
    });
    await expect(controller.reconcile('robots/gone', never)).resolves.toBeUndefined();
  });
});
