import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { ApiRig, configMaps } from '../../test/support/api-rig.ts';
import { kubeEvents } from './event-body.ts';
import { create, EventRecorder, type Log, list, silentLog } from './index.ts';

let api: ApiRig;
beforeAll(async () => {
  api = await ApiRig.start();
});
afterAll(() => api?.stop());

const coreEvent = z.object({
  metadata: z.object({ name: z.string() }),
  involvedObject: z.object({ kind: z.string(), name: z.string(), uid: z.string().optional() }),
  reason: z.string(),
  message: z.string(),
  type: z.string(),
  series: z.object({ count: z.number() }).optional(),
  reportingComponent: z.string(),
});

test('events arrive, count up in one object, and are seen by who reads the old API too (E2, E4)', async () => {
  const warnings: string[] = [];
  const log: Log = {
    ...silentLog,
    warn: (fields, message) => warnings.push(`${message}: ${'err' in fields ? fields.err : ''}`),
  };
  const recorder = new EventRecorder({
    transport: api.direct,
    reportingController: 'robotgc.dev/test',
    reportingInstance: 'test-0',
    log,
  });
  const about = await create(api.direct, configMaps, { metadata: { namespace: 'default', name: 'subject' } });
  const regarding = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    namespace: 'default',
    name: 'subject',
    uid: about.metadata.uid,
  };
  recorder.record(regarding, 'Warning', 'LatencyBreach', 'gcStall P99 41 ms, limit 30 ms');
  recorder.record(regarding, 'Warning', 'LatencyBreach', 'gcStall P99 42 ms, limit 30 ms');
  recorder.record(regarding, 'Normal', 'Captured', 'x'.repeat(5_000), {
    related: { apiVersion: 'v1', kind: 'Pod', namespace: 'default', name: 'p' },
  });
  recorder.record(
    { apiVersion: 'v1', kind: 'Node', name: 'node-1', uid: 'node-1' },
    'Normal',
    'AgentStarted',
    'an object without namespace',
  );
  expect(await recorder.drain(10_000)).toBe(true);
  expect(warnings).toEqual([]);
  expect(recorder.dropped).toBe(0);
  // The API server may write events of its own into this namespace (the repair of Service addresses).
  const items = z
    .object({ items: z.array(coreEvent) })
    .parse(await api.direct.json({ method: 'GET', path: '/api/v1/namespaces/default/events' }))
    .items.filter(({ reportingComponent }) => reportingComponent === 'robotgc.dev/test');
  expect(items).toHaveLength(3);
  const newApi = await list(api.direct, kubeEvents, { namespace: 'default' });
  expect(newApi.map(({ metadata }) => metadata.name)).toEqual(
    expect.arrayContaining(items.map(({ metadata }) => metadata.name)),
  );
  const breach = items.find(({ reason }) => reason === 'LatencyBreach');
  expect(breach).toMatchObject({
    involvedObject: { kind: 'ConfigMap', name: 'subject', uid: about.metadata.uid },
    type: 'Warning',
    reportingComponent: 'robotgc.dev/test',
    series: { count: 2 },
  });
  expect(breach?.message).toContain('41 ms');
  expect(items.find(({ reason }) => reason === 'Captured')?.message.length).toBe(1022);
});
