/** Workloads on the real API server: what our changes leave behind, and what kubectl says of the same objects. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ApiRig } from '../../../test/support/api-rig.ts';
import { type Kubectl, kubectlOf } from '../../../test/support/robots-api.ts';
import { Knob, REMEDY_FIELD_MANAGER } from '../../api/index.ts';
import {
  apply,
  create,
  get,
  getRaw,
  type ObjectBody,
  remove,
  type Workload,
  type WorkloadKind,
} from '../../kube/index.ts';
import { application, type KnobChange } from './application.ts';
import { readNeighbours } from './neighbours.ts';
import { workloadResource } from './resources.ts';
import { rolloutState } from './rollout-state.ts';
import { settingOf, templateContainer } from './settings.ts';

const KINDS: readonly WorkloadKind[] = ['Deployment', 'StatefulSet', 'DaemonSet'];
const signal = AbortSignal.timeout(300_000);
let api: ApiRig;
let kubectl: Kubectl;

beforeAll(async () => {
  api = await ApiRig.start();
  kubectl = kubectlOf(api.plane);
}, 120_000);
afterAll(() => api?.stop());

let made = 0;
function bodyOf(kind: WorkloadKind, containers: readonly object[], spec: object = {}): ObjectBody {
  const labels = { app: `w${++made}` };
  return {
    metadata: { name: `w${made}`, namespace: 'default' },
    spec: {
      ...(kind === 'DaemonSet' ? {} : { replicas: 3 }),
      ...(kind === 'StatefulSet' ? { serviceName: 'x' } : {}),
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers } },
      ...spec,
    },
  };
}

function resourceOf(kind: WorkloadKind) {
  const resource = workloadResource({ apiVersion: 'apps/v1', kind });
  if (!resource) throw new Error(`no resource ${kind}`);
  return resource;
}

const Spec = z.object({ spec: z.json() });
async function specOf(kind: WorkloadKind, { metadata }: Pick<Workload, 'metadata'>): Promise<unknown> {
  return Spec.parse(await getRaw(api.direct, resourceOf(kind), metadata)).spec;
}

/** Applies as the Rollout way does with TakeOver. */
async function change(kind: WorkloadKind, name: string, knobChange: KnobChange): Promise<KnobChange> {
  const resource = resourceOf(kind);
  const workload = await get(api.direct, resource, { namespace: 'default', name });
  const container = templateContainer(workload, knobChange.container);
  const before = container ? settingOf(container, knobChange.knob).setting : null;
  const owner = { apiVersion: 'apps/v1', kind, name, uid: workload.metadata.uid };
  const object = application(workload, owner, knobChange);
  await apply(api.direct, resource, object, { fieldManager: REMEDY_FIELD_MANAGER, force: true });
  return { ...knobChange, setting: before };
}

const quantity = fc.constantFrom('64Mi', '128Mi', '1Gi', '1000000000');
const env = fc.uniqueArray(
  fc.record({
    name: fc.constantFrom('GOGC', 'GOMEMLIMIT', 'A', 'B', 'GODEBUG'),
    value: fc.constantFrom('10', '100', 'off', '', '90MiB'),
  }),
  { selector: ({ name }) => name, maxLength: 5 },
);
const resources = fc.oneof(
  fc.constant({}),
  quantity.map((memory) => ({ limits: { memory } })),
  quantity.map((memory) => ({ limits: { memory }, requests: { memory } })),
  fc.constant({ limits: { memory: '2Gi', cpu: '1' }, requests: { memory: '32Mi', cpu: '100m' } }),
);
const container = (name: string) => fc.record({ name: fc.constant(name), image: fc.constant('i'), env, resources });
const knobChange: fc.Arbitrary<KnobChange> = fc
  .record({ container: fc.constantFrom('robot', 'proxy'), knob: fc.constantFrom(...Knob.options) })
  .chain((where) =>
    (where.knob === 'MemoryLimit' ? fc.constantFrom('1Gi', '2Gi') : fc.constantFrom('5', '50', '400')).map(
      (setting) => ({
        ...where,
        setting,
      }),
    ),
  );

describe.each(KINDS)('a %s', (kind) => {
  it('is as it was before when our changes are undone, whatever its template, whoever made it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(container('robot'), container('proxy')),
        fc.boolean(),
        fc.array(knobChange, { minLength: 1, maxLength: 4 }),
        async (containers, byApply, changes) => {
          const body = bodyOf(kind, containers);
          const options = { fieldManager: 'team' };
          const workload = byApply
            ? await apply(api.direct, resourceOf(kind), body, options)
            : await create(api.direct, resourceOf(kind), body, options);
          const { name } = workload.metadata;
          const before = await specOf(kind, workload);
          const undo: KnobChange[] = [];
          for (const each of changes) {
            undo.unshift(await change(kind, name, each));
            const now = templateContainer(await get(api.direct, resourceOf(kind), workload.metadata), each.container);
            expect(now && settingOf(now, each.knob).setting).toBe(each.setting);
          }
          for (const each of undo) await change(kind, name, each);
          expect(await specOf(kind, workload)).toEqual(before);
          await remove(api.direct, resourceOf(kind), workload.metadata);
        },
      ),
      { numRuns: 25 },
    );
  }, 120_000);

  it('is rolling out, settled or failed as kubectl rollout status says', async () => {
    const workload = await create(api.direct, resourceOf(kind), bodyOf(kind, [{ name: 'robot', image: 'i' }]));
    const { name } = workload.metadata;
    const count = fc.integer({ min: 0, max: 4 });
    await fc.assert(
      fc.asyncProperty(fc.boolean(), fc.boolean(), fc.tuple(count, count, count, count), async (seen, late, counts) => {
        const { metadata } = await get(api.direct, resourceOf(kind), workload.metadata);
        const status = { observedGeneration: seen ? metadata.generation : 0, ...statusOf(kind, counts, late) };
        const body = { metadata: { name, namespace: 'default' }, status };
        await apply(api.direct, resourceOf(kind), body, {
          fieldManager: 'controller',
          force: true,
          subresource: 'status',
        });
        const told = rolloutState(await get(api.direct, resourceOf(kind), workload.metadata));
        expect([told.state, told.sentence]).toEqual([await kubectlSays(kind, name), told.sentence]);
      }),
      { numRuns: 20 },
    );
  }, 120_000);
});

function statusOf(kind: WorkloadKind, counts: readonly number[], late: boolean): object {
  const [a = 0, b = 0, c = 0, d = 0] = counts;
  if (kind === 'DaemonSet') {
    const desired = { desiredNumberScheduled: 3, currentNumberScheduled: 3, numberMisscheduled: 0 };
    return { ...desired, numberReady: a, updatedNumberScheduled: b, numberAvailable: c };
  }
  // The server refuses more updated, ready or available pods than there are.
  const replicas = Math.max(a, b, c, d);
  const [available = 0, ready = 0] = [b, c].toSorted((x, y) => x - y);
  const deadline = { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: 'too late' };
  return {
    replicas,
    updatedReplicas: a,
    readyReplicas: ready,
    availableReplicas: available,
    ...(kind === 'Deployment' && late ? { conditions: [deadline] } : {}),
  };
}

async function kubectlSays(kind: WorkloadKind, name: string): Promise<string> {
  try {
    const said = await kubectl(['rollout', 'status', `${kind.toLowerCase()}/${name}`, '--watch=false']);
    return /successfully rolled out|roll out complete|rolling update complete/.test(said) ? 'settled' : 'progressing';
  } catch (error) {
    if (String(error).includes('progress deadline')) return 'failed';
    throw error;
  }
}

describe('what else has a say in the pods of a workload', () => {
  it('is what covers them or names it as its target; a kind that the server does not know has no objects', async () => {
    const workload = await create(
      api.direct,
      resourceOf('Deployment'),
      bodyOf('Deployment', [{ name: 'robot', image: 'i' }]),
    );
    const { name } = workload.metadata;
    const meta = (suffix: string) => ({ name: `${name}-${suffix}`, namespace: 'default' });
    const objects = [
      {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: meta('own'),
        spec: { maxUnavailable: 1, selector: { matchLabels: { app: name } } },
      },
      {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: meta('all'),
        spec: { maxUnavailable: 1, selector: {} },
      },
      { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: meta('none'), spec: { maxUnavailable: 1 } },
      {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: meta('other'),
        spec: { maxUnavailable: 1, selector: { matchLabels: { app: 'other' } } },
      },
      {
        apiVersion: 'autoscaling/v2',
        kind: 'HorizontalPodAutoscaler',
        metadata: meta('grow'),
        spec: { maxReplicas: 5, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name } },
      },
      {
        apiVersion: 'autoscaling/v2',
        kind: 'HorizontalPodAutoscaler',
        metadata: meta('not'),
        spec: { maxReplicas: 5, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'StatefulSet', name } },
      },
    ];
    for (const object of objects) await kubectl(['create', '-f', '-'], JSON.stringify(object));
    const found = await readNeighbours(api.direct, workload, signal);
    expect(found.budgets.map(({ metadata }) => metadata.name).toSorted()).toEqual([`${name}-all`, `${name}-own`]);
    expect(found.horizontal.map(({ metadata }) => metadata.name)).toEqual([`${name}-grow`]);
    expect(found.vertical).toEqual([]);
  }, 60_000);
});
