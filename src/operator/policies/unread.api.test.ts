/** An operator of an older version than the custom resources, on the real API server, which keeps fields of both and takes no others. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { ApiRig } from '../../../test/support/api-rig.ts';
import { addFutureFields, installResources, type Kubectl, kubectlOf } from '../../../test/support/robots-api.ts';
import { until } from '../../../test/support/until.ts';
import { Condition } from '../../api/index.ts';
import { getRaw, KeyedQueue, policies, silentLog } from '../../kube/index.ts';
import { DEFAULT_BREAKER } from '../../remedy/index.ts';
import { FleetBreaker } from '../breaker.ts';
import { type Caches, createCaches } from '../caches.ts';
import { PolicyController } from './controller.ts';

const key = 'robots/dispatch';
let api: ApiRig;
let kubectl: Kubectl;
let caches: Caches;
const stop = new AbortController();
const running: Promise<void>[] = [];

beforeAll(async () => {
  api = await ApiRig.start();
  kubectl = kubectlOf(api.plane);
  await installResources(kubectl);
  const queue = new KeyedQueue({ name: 'policies' });
  caches = createCaches(api.direct, silentLog, (policyKey) => queue.add(policyKey));
  caches.policies.store.onChange(({ key: policyKey }) => queue.add(policyKey));
  const breaker = new FleetBreaker(caches.incidents.store, DEFAULT_BREAKER);
  const controller = new PolicyController({ transport: api.direct, caches, breaker, observeOnly: false });
  running.push(
    ...Object.values(caches).map((cache) => cache.run(stop.signal)),
    queue.run((policyKey, signal) => controller.reconcile(policyKey, signal), { signal: stop.signal }),
  );
}, 300_000);
afterAll(async () => {
  stop.abort();
  await Promise.all(running);
  await api?.stop();
});

const Policy = z.looseObject({
  spec: z.looseObject({ tuning: z.looseObject({}).optional() }),
  status: z
    .looseObject({ conditions: z.array(Condition).optional(), thresholds: z.array(z.looseObject({})).optional() })
    .default({}),
});

async function read(): Promise<z.infer<typeof Policy>> {
  return Policy.parse(await getRaw(api.direct, policies, { namespace: 'robots', name: 'dispatch' }));
}

async function conditions(): Promise<Record<string, string>> {
  const { status } = await read();
  return Object.fromEntries(
    (status.conditions ?? []).map(({ type, status: is, reason }) => [type, `${is} ${reason}`] as const),
  );
}

function declare(tuning: string): Promise<unknown> {
  const policy = `
apiVersion: robotgc.dev/v1alpha1
kind: RobotGCPolicy
metadata: {name: dispatch, namespace: robots}
spec: {selector: {matchLabels: {app: dispatch}}, sla: {latencyP99: 200ms}, tuning: ${tuning}}
`;
  return kubectl(['apply', '--validate=ignore', '-f', '-'], policy);
}

test('a field that only a newer version knows is named in the conditions until it is gone, and never reaches the operator under old resources', async () => {
  await declare('{continuous: false, future: 1}');
  const isWatching = async () => (await conditions()).Degraded === 'False AllWatched';
  await until('the conditions are there', isWatching, 20_000, 100);
  expect((await read()).spec.tuning).not.toHaveProperty('future');

  await addFutureFields(kubectl, 'spec/properties/tuning', 'status');
  // A watch from before goes on with the old schema for a moment, and what it leaves out then it does not tell afterwards.
  let value = 1;
  await until(
    'the operator says so',
    async () => {
      value += 1;
      await declare(`{continuous: false, future: ${value}}`);
      return (await conditions()).Degraded === 'True NotUnderstood';
    },
    60_000,
    500,
  );
  expect((await read()).spec.tuning?.future).toBe(value);
  expect(await conditions()).toEqual({ Ready: 'False NotUnderstood', Degraded: 'True NotUnderstood' });
  const { status } = await read();
  expect(status.conditions?.at(0)?.message).toMatch(/upgrade it.*Unrecognized key: "future" → at spec\.tuning$/);
  expect(status.thresholds).toBeUndefined();
  expect(caches.policies.store.get(key)).toBeUndefined();

  const newerStatus = JSON.stringify({ status: { future: 7 } });
  await kubectl([
    'patch',
    'rgp',
    'dispatch',
    '-n',
    'robots',
    '--subresource=status',
    '--type=merge',
    '-p',
    newerStatus,
  ]);
  await declare('{continuous: false}');
  await until('it is understood again', isWatching, 20_000, 100);
  // What others say in a status is theirs: it is read past, and left.
  expect((await read()).status.future).toBe(7);
  expect((await read()).status.thresholds).not.toBeUndefined();
}, 180_000);
