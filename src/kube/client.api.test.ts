import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ApiRig, configMaps } from '../../test/support/api-rig.ts';
import {
  apply,
  create,
  createTransport,
  daemonSets,
  deployments,
  find,
  get,
  getRaw,
  list,
  patchMerge,
  patchStrategic,
  pods,
  remove,
  replace,
  replicaSets,
  statefulSets,
} from './index.ts';

let api: ApiRig;
beforeAll(async () => {
  api = await ApiRig.start();
});
afterAll(() => api?.stop());

const ref = (name: string) => ({ namespace: 'default', name });
const labels = { app: 'dispatch' };
const template = (gogc: string) => ({
  metadata: { labels },
  spec: {
    containers: [
      {
        name: 'robot',
        image: 'robot:1',
        env: [{ name: 'GOGC', value: gogc }],
        resources: { limits: { memory: '192Mi' } },
      },
    ],
  },
});
const workload = (name: string, gogc: string) => ({
  metadata: ref(name),
  spec: { replicas: 2, selector: { matchLabels: labels }, template: template(gogc) },
});

describe('server-side apply', () => {
  test('owns its field; another who wants it is told whose it is, and may take it by force (T5)', async () => {
    await apply(api.direct, deployments, workload('dispatch', '100'), { fieldManager: 'team' });
    const ours = {
      metadata: ref('dispatch'),
      spec: { template: { spec: { containers: [{ name: 'robot', env: [{ name: 'GOGC', value: '200' }] }] } } },
    };
    await expect(apply(api.direct, deployments, ours, { fieldManager: 'robotgc' })).rejects.toMatchObject({
      code: 'Conflict',
      status: 409,
      conflicts: [{ manager: 'team', field: '.spec.template.spec.containers[name="robot"].env[name="GOGC"].value' }],
    });
    const dry = await apply(api.direct, deployments, ours, { fieldManager: 'robotgc', force: true, dryRun: true });
    expect(dry.spec.template.spec.containers[0]?.env).toEqual([{ name: 'GOGC', value: '200', fromRef: false }]);
    expect((await get(api.direct, deployments, ref('dispatch'))).spec.template.spec.containers[0]?.env[0]?.value).toBe(
      '100',
    );
    const forced = await apply(api.direct, deployments, ours, { fieldManager: 'robotgc', force: true });
    expect(forced).toMatchObject({
      metadata: { name: 'dispatch', generation: 2 },
      spec: { replicas: 2, strategyType: 'RollingUpdate' },
    });
    const raw = z
      .object({ metadata: z.object({ managedFields: z.array(z.object({ manager: z.string() })) }) })
      .parse(await getRaw(api.direct, deployments, ref('dispatch')));
    expect(raw.metadata.managedFields.map(({ manager }) => manager).sort()).toEqual(['robotgc', 'team']);
  });

  test('creates what is not there, also on the status', async () => {
    await apply(api.direct, deployments, workload('fresh', '50'), { fieldManager: 'team' });
    const status = { metadata: ref('fresh'), status: { observedGeneration: 1, replicas: 2, readyReplicas: 1 } };
    const after = await apply(api.direct, deployments, status, { fieldManager: 'controller', subresource: 'status' });
    expect(after.status).toMatchObject({ observedGeneration: 1, readyReplicas: 1, conditions: [] });
  });
});

describe('the other calls', () => {
  test('create, find, patch, replace, list, remove', async () => {
    const made = await create(api.direct, configMaps, {
      metadata: { ...ref('life'), labels: { of: 'life' } },
      data: { a: '1' },
    });
    await expect(create(api.direct, configMaps, { metadata: ref('life') })).rejects.toMatchObject({
      code: 'AlreadyExists',
    });
    const patched = await patchMerge(
      api.direct,
      configMaps,
      ref('life'),
      { data: { b: '2' } },
      { fieldManager: 'test' },
    );
    expect(patched.data).toEqual({ a: '1', b: '2' });
    const stale = { metadata: { ...ref('life'), resourceVersion: made.metadata.resourceVersion }, data: {} };
    await expect(replace(api.direct, configMaps, stale)).rejects.toMatchObject({ code: 'Conflict', conflicts: [] });
    expect(await list(api.direct, configMaps, { namespace: 'default', labelSelector: 'of=life' })).toHaveLength(1);
    expect(await find(api.direct, configMaps, ref('nobody'))).toBeUndefined();
    await expect(remove(api.direct, configMaps, ref('life'), { uid: 'another' })).rejects.toMatchObject({
      code: 'Conflict',
    });
    expect(await remove(api.direct, configMaps, ref('life'), { uid: made.metadata.uid })).toBe(true);
    expect(await remove(api.direct, configMaps, ref('life'))).toBe(false);
  });

  test('what the server finds invalid is said in its words', async () => {
    const bad = {
      metadata: ref('bad'),
      spec: { replicas: -1, selector: { matchLabels: labels }, template: template('100') },
    };
    await expect(create(api.direct, deployments, bad)).rejects.toMatchObject({
      code: 'Invalid',
      status: 422,
      message: expect.stringContaining('spec.replicas'),
    });
    await expect(get(api.direct, configMaps, { name: 'no-namespace' })).rejects.toMatchObject({ code: 'BadRequest' });
    expect(() => getRaw(api.direct, configMaps, ref('../secrets'))).toThrow('cannot be the name');
  });
});

describe('what is kept of an object', () => {
  test('a pod: resources by strategic merge, status by container, and none of its managedFields', async () => {
    const pod = { metadata: { ...ref('robot-0'), labels }, spec: { containers: template('100').spec.containers } };
    const made = await create(api.direct, pods, pod);
    expect(made).toMatchObject({
      metadata: { labels },
      spec: {
        nodeName: '',
        containers: [{ name: 'robot', resources: { limits: { memory: '192Mi' }, requests: { memory: '192Mi' } } }],
      },
    });
    expect(JSON.stringify(made)).not.toContain('managedFields');
    const status = {
      status: {
        phase: 'Running',
        podIP: '10.0.0.7',
        containerStatuses: [
          {
            name: 'robot',
            image: 'robot:1',
            imageID: 'x',
            ready: true,
            restartCount: 1,
            containerID: 'containerd://abc',
            state: { running: { startedAt: '2026-01-01T00:00:00Z' } },
          },
        ],
      },
    };
    const running = await patchStrategic(api.direct, pods, ref('robot-0'), status, { subresource: 'status' });
    expect(running.status).toMatchObject({
      phase: 'Running',
      podIP: '10.0.0.7',
      containerStatuses: [{ containerID: 'containerd://abc', restartCount: 1, state: { running: {} } }],
    });
  });

  test('every kind of workload in one shape', async () => {
    const { replicas: _, ...daemon } = workload('each-node', '100').spec;
    const set = await create(api.direct, daemonSets, { metadata: ref('each-node'), spec: daemon });
    expect(set).toMatchObject({
      spec: { replicas: 0, strategyType: 'RollingUpdate', selector: { matchLabels: labels } },
      status: { readyReplicas: 0 },
    });
    const stateful = await create(api.direct, statefulSets, {
      metadata: ref('stateful'),
      spec: { ...workload('x', '100').spec, serviceName: 'x' },
    });
    expect(stateful).toMatchObject({
      spec: { replicas: 2, strategyType: 'RollingUpdate', template: { spec: { containers: [{ name: 'robot' }] } } },
    });
    const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'dispatch', uid: 'some-uid', controller: true };
    const replicaSet = await create(api.direct, replicaSets, {
      metadata: { ...ref('rs'), ownerReferences: [owner] },
      spec: workload('x', '100').spec,
    });
    expect(replicaSet).toMatchObject({ metadata: { ownerReferences: [owner] }, spec: { replicas: 2 } });
  });
});

test('a service account may do what its role says, with a token from a file', async () => {
  const { token } = z
    .object({ status: z.object({ token: z.string() }) })
    .transform(({ status }) => status)
    .parse(
      await (async () => {
        await api.direct.json({
          method: 'POST',
          path: '/api/v1/namespaces/default/serviceaccounts',
          body: { metadata: { name: 'agent' } },
        });
        return await api.direct.json({
          method: 'POST',
          path: '/api/v1/namespaces/default/serviceaccounts/agent/token',
          body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 600 } },
        });
      })(),
    );
  const kubeConfig = new KubeConfig();
  const caData = Buffer.from(api.plane.ca).toString('base64');
  kubeConfig.loadFromClusterAndUser(
    { name: 'c', server: api.plane.adminUrl, caData, skipTLSVerify: false },
    { name: 'agent', token },
  );
  const transport = createTransport({ kubeConfig, userAgent: 'agent' });
  await expect(get(transport, configMaps, ref('x'))).rejects.toMatchObject({
    code: 'Forbidden',
    message: expect.stringContaining('system:serviceaccount:default:agent'),
  });
  const untrusting = new KubeConfig();
  untrusting.loadFromClusterAndUser(
    { name: 'c', server: api.plane.adminUrl, skipTLSVerify: false },
    { name: 'agent', token },
  );
  const refused = createTransport({ kubeConfig: untrusting, userAgent: 'agent' });
  await expect(get(refused, configMaps, ref('x'))).rejects.toMatchObject({
    code: 'Unreachable',
    message: expect.stringMatching(/certificate/i),
  });
  await Promise.all([transport.close(), refused.close()]);
  expect(await readFile(join(api.plane.dir, 'kubeconfig'), 'utf8')).not.toContain(token);
});
