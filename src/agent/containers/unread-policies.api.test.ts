/** An agent of an older version than the custom resources, on the real API server: what it does not understand is seen in the policy's status. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { ApiRig } from '../../../test/support/api-rig.ts';
import { addFutureFields, installResources, type Kubectl, kubectlOf } from '../../../test/support/robots-api.ts';
import { until } from '../../../test/support/until.ts';
import { getRaw, policies, silentLog } from '../../kube/index.ts';
import { createCaches } from '../caches.ts';
import { pod } from '../testing/objects.ts';
import { ContainerStatusController } from './status-controller.ts';
import { UnreadPolicies } from './unread-policies.ts';

let api: ApiRig;
let kubectl: Kubectl;
const stop = new AbortController();
const running: Promise<void>[] = [];

beforeAll(async () => {
  api = await ApiRig.start();
  kubectl = kubectlOf(api.plane);
  await installResources(kubectl);
  await addFutureFields(kubectl, 'spec/properties/tuning');
}, 300_000);
afterAll(async () => {
  stop.abort();
  await Promise.all(running);
  await api?.stop();
});

const Status = z.object({
  status: z
    .object({
      misunderstoodBy: z.array(z.object({ node: z.string(), message: z.string() })).optional(),
      containers: z.array(z.object({ pod: z.string() })).optional(),
    })
    .default({}),
});

async function statusOf(name: string): Promise<z.infer<typeof Status>['status']> {
  return Status.parse(await getRaw(api.direct, policies, { namespace: 'robots', name })).status;
}

/** The part of an agent that speaks of policies, with one pod. */
function agent(node: string): void {
  const caches = createCaches({
    ...{ transport: api.direct, node, log: silentLog },
    onUnread: (policyKey, raw) => {
      unread.keptOut(policyKey, raw);
      statuses.changed(policyKey);
    },
  });
  const pods = { list: () => [pod('dispatch-0')] };
  const unread = new UnreadPolicies({ reasons: () => caches.policies.malformed(), pods });
  const statuses = new ContainerStatusController({
    ...{ transport: api.direct, node, store: caches.policies.store },
    refusal: (policyKey) => unread.refusal(policyKey),
    desired: () => [{ pod: `dispatch-${node}`, container: 'robot', node, state: 'Watching' }],
  });
  caches.policies.store.onChange(({ key }) => statuses.changed(key));
  running.push(
    caches.policies.run(stop.signal),
    statuses.queue.run((key, signal) => statuses.reconcile(key, signal), { signal: stop.signal }),
  );
}

async function declare(tuning: string): Promise<void> {
  const policy = `
apiVersion: robotgc.dev/v1alpha1
kind: RobotGCPolicy
metadata: {name: dispatch, namespace: robots}
spec: {selector: {matchLabels: {app: dispatch}}, sla: {latencyP99: 200ms}, tuning: ${tuning}}
`;
  // The server takes up a changed schema a moment later.
  await until(
    'the policy is taken',
    () =>
      kubectl(['apply', '-f', '-'], policy).then(
        () => true,
        () => false,
      ),
    20_000,
    200,
  );
}

test('a field that it does not know is named by each agent, until it is gone', async () => {
  await declare('{}');
  agent('one');
  agent('two');
  const podsOf = async () => (await statusOf('dispatch')).containers?.map(({ pod: name }) => name).sort() ?? [];
  await until('both watch', async () => (await podsOf()).join() === 'dispatch-one,dispatch-two', 20_000, 100);

  await declare('{future: 1}');
  const refusing = async () => (await statusOf('dispatch')).misunderstoodBy ?? [];
  await until('both refuse it', async () => (await refusing()).length === 2, 20_000, 100);
  const message = 'Unrecognized key: "future" → at spec.tuning';
  expect((await refusing()).toSorted((a, b) => a.node.localeCompare(b.node))).toEqual([
    { node: 'one', message },
    { node: 'two', message },
  ]);
  expect(await podsOf()).toEqual([]);

  await declare('{}');
  await until('both watch again', async () => (await podsOf()).length === 2, 20_000, 100);
  expect(await refusing()).toEqual([]);
}, 120_000);
