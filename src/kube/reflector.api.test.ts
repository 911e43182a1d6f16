import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ApiRig, type ConfigMap, configMaps, type ProxiedClient } from '../../test/support/api-rig.ts';
import { until } from '../../test/support/until.ts';
import { create, patchMerge, remove } from './client.ts';
import { silentLog } from './log.ts';
import { listEach } from './paged-list.ts';
import { Reflector, type ReflectorOptions } from './reflector.ts';
import type { Transport } from './transport.ts';

let api: ApiRig;
beforeAll(async () => {
  api = await ApiRig.start();
});
afterAll(() => api?.stop());

const stops: (() => Promise<void>)[] = [];
async function stopAll(): Promise<void> {
  for (const stop of stops.splice(0)) await stop();
}

function reflect(transport: Transport, options: Partial<ReflectorOptions<ConfigMap>> = {}): Reflector<ConfigMap> {
  const stop = new AbortController();
  const reflector = new Reflector({
    transport,
    resource: configMaps,
    namespace: 'default',
    log: silentLog,
    ...options,
  });
  const running = reflector.run(stop.signal);
  stops.push(async () => {
    stop.abort();
    await running;
  });
  return reflector;
}

const put = (name: string, value: string): Promise<ConfigMap> =>
  create(api.direct, configMaps, {
    metadata: { name, namespace: 'default', labels: { set: name.split('-')[0] ?? '' } },
    data: { value },
  });
const set = (name: string, value: string): Promise<ConfigMap> =>
  patchMerge(api.direct, configMaps, { namespace: 'default', name }, { data: { value } });
const held = (reflector: Reflector<ConfigMap>, name: string): string | undefined =>
  reflector.store.get(`default/${name}`)?.data.value;
const watching = (reflector: Reflector<ConfigMap>): Promise<void> =>
  until('it watches', () => reflector.status().state === 'watching', 30_000);
const count = (client: ProxiedClient, from: number, verb: string): number =>
  client.calls.slice(from).filter((call) => call.verb === verb).length;

describe('against a real API server', () => {
  afterEach(stopAll);

  test('1,200 objects arrive in pages, consistent, then every change (R1, R12)', async () => {
    const names = Array.from({ length: 1200 }, (_, index) => `many-${index}`);
    const writers = Array.from({ length: 8 }, async () => {
      for (let name = names.pop(); name !== undefined; name = names.pop()) await put(name, 'x');
    });
    await Promise.all(writers);
    const client = await api.proxied();
    const reflector = reflect(client.transport, {
      pageSize: 100,
      labelSelector: 'set=many',
      indexers: { value: ({ data }) => [data.value ?? ''] },
    });
    await watching(reflector);
    expect(reflector.store.size).toBe(1200);
    expect(count(client, 0, 'GET')).toBe(12);
    await set('many-7', 'y');
    await remove(api.direct, configMaps, { namespace: 'default', name: 'many-8' });
    await until('both changes', () => reflector.store.size === 1199 && held(reflector, 'many-7') === 'y');
    expect(reflector.store.byIndex('value', 'y')).toHaveLength(1);
    expect(reflector.status()).toMatchObject({ lists: 1, watches: 1, malformed: 0 });
  });

  test('a list whose history is compacted between two pages is still complete (R12)', async () => {
    let compacted = false;
    const transport: Transport = {
      ...api.direct,
      async json(request) {
        if (request.query?.continue !== undefined && !compacted) {
          compacted = true;
          const { resourceVersion } = (await set('many-1', `at ${Date.now()}`)).metadata;
          await api.compact(resourceVersion);
        }
        return await api.direct.json(request);
      },
    };
    const { items } = await listEach(
      transport,
      configMaps,
      { namespace: 'default', labelSelector: 'set=many', pageSize: 100 },
      configMaps.parse,
    );
    expect(compacted).toBe(true);
    expect(new Set(items.map(({ metadata }) => metadata.name)).size).toBe(1199);
  });

  test('a cut: dialled anew from the same version, no list (R7)', async () => {
    const client = await api.proxied();
    await put('cut', '1');
    const reflector = reflect(client.transport);
    await watching(reflector);
    for (const value of ['2', '3', '4']) {
      client.proxy.cut();
      await set('cut', value);
      await until(`the change to ${value}`, () => held(reflector, 'cut') === value);
    }
    expect(reflector.status().lists).toBe(1);
  });

  test('a version that the server has forgotten: 410, and one list (R6)', async () => {
    const client = await api.proxied();
    await put('gone', '1');
    const events: unknown[] = [];
    const log = { ...silentLog, debug: (fields: object) => 'event' in fields && events.push(fields.event) };
    const reflector = reflect(client.transport, { fieldSelector: 'metadata.name=gone', log });
    await watching(reflector);
    client.proxy.refuse(true);
    client.proxy.cut();
    const { resourceVersion } = (await set('gone', '2')).metadata;
    await api.compact(resourceVersion);
    // Its watch cache would still know; a fresh one starts from now.
    await api.plane.apiserver.restart();
    client.proxy.refuse(false);
    await until('the change', () => held(reflector, 'gone') === '2', 40_000);
    expect(events.filter((event) => event === 'expired')).toEqual(['expired']);
    expect(reflector.status().lists).toBe(2);
  });

  test.each(['SIGTERM', 'SIGKILL'] as const)(
    'a restart of the API server by %s: found again, without a storm (R2)',
    async (signal) => {
      const client = await api.proxied();
      const name = `restart-${signal.toLowerCase()}`;
      await put(name, '1');
      const reflectors = Array.from({ length: 5 }, () => reflect(client.transport));
      await Promise.all(reflectors.map(watching));
      const from = client.calls.length;
      await api.plane.apiserver.restart(signal);
      await set(name, '2');
      await until('all see the change', () => reflectors.every((reflector) => held(reflector, name) === '2'), 60_000);
      for (const reflector of reflectors) expect(reflector.status().lists).toBeLessThanOrEqual(3);
      expect(count(client, from, 'WATCH')).toBeLessThan(5 * 10);
    },
  );
});

describe.concurrent('a network that goes silent', () => {
  afterAll(stopAll);

  test('connections that go silent are noticed within 60 s, without a storm; quiet ones are left in peace (R8, R9)', async () => {
    await put('silence', '1');
    const silent = await api.proxied();
    const quiet = await api.proxied();
    const silentOnes = Array.from({ length: 5 }, () => reflect(silent.transport));
    const quietOne = reflect(quiet.transport, { fieldSelector: 'metadata.name=nobody-writes-this' });
    await Promise.all([...silentOnes, quietOne].map(watching));
    silent.proxy.silenceOpen();
    const startMs = performance.now();
    await set('silence', '2');
    await until(
      'all see the change',
      () => silentOnes.every((reflector) => held(reflector, 'silence') === '2'),
      70_000,
      50,
    );
    const noticedMs = performance.now() - startMs;
    console.log(`silence noticed by all five after ${(noticedMs / 1000).toFixed(1)} s`);
    expect(noticedMs).toBeLessThan(60_000);
    expect(noticedMs).toBeGreaterThan(30_000);
    const from = silent.calls.length;
    await sleep(20_000);
    // Five reflectors, a while of peace: at most a probe and a watch each.
    expect(silent.calls.length - from).toBeLessThanOrEqual(5 * 2);
    for (const reflector of silentOnes) expect(reflector.status()).toMatchObject({ lists: 1, state: 'watching' });
    expect(quietOne.status()).toMatchObject({ lists: 1 });
    const minutes = (performance.now() - startMs) / 60_000;
    console.log(
      `quiet watch: ${quiet.calls.length - 1} requests in ${minutes.toFixed(1)} min, ${JSON.stringify(quietOne.status())}`,
    );
    expect(quiet.calls.length - 1).toBeLessThanOrEqual(2 * Math.ceil(minutes));
  });

  test('a network that is dead for new connections too: found again when it is back (R2, R8)', async () => {
    await put('dead', '1');
    const client = await api.proxied();
    const reflector = reflect(client.transport);
    await watching(reflector);
    client.proxy.set({ kind: 'silent' });
    await set('dead', '2');
    await until(
      'the silence is noticed',
      () => reflector.status().watches > 1 || reflector.status().state === 'waitingToDial',
      60_000,
    );
    client.proxy.set({ kind: 'pass' });
    client.proxy.cut();
    await until('the change', () => held(reflector, 'dead') === '2', 40_000);
    expect(reflector.status().lists).toBe(1);
  });
});
