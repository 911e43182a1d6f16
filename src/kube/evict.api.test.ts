/** Evictions on a real API server. No kubelet runs here: a pod without a node is gone at once. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiRig } from '../../test/support/api-rig.ts';
import { apply, create, evict, find, type Pod, podDisruptionBudgets, pods } from './index.ts';

const signal = AbortSignal.timeout(120_000);
let api: ApiRig;
beforeAll(async () => {
  api = await ApiRig.start();
}, 120_000);
afterAll(() => api?.stop());

const podWith = (name: string): Promise<Pod> =>
  create(api.direct, pods, {
    metadata: { name, namespace: 'default', labels: { app: name } },
    spec: { automountServiceAccountToken: false, containers: [{ name: 'robot', image: 'robot' }] },
  });
const isThere = async ({ metadata }: Pod): Promise<boolean> =>
  (await find(api.direct, pods, metadata))?.metadata.uid === metadata.uid;

describe('an eviction', () => {
  it('ends a pod, and says so when it is gone already', async () => {
    const pod = await podWith('leaking');
    expect(await evict(api.direct, pod, { signal })).toBe(true);
    expect(await isThere(pod)).toBe(false);
    expect(await evict(api.direct, pod, { signal })).toBe(false);
  });

  it('spares a pod that was made anew under that name', async () => {
    const before = await podWith('again');
    await evict(api.direct, before, { signal });
    const after = await podWith('again');
    expect(await evict(api.direct, before, { signal })).toBe(false);
    expect(await isThere(after)).toBe(true);
  });

  it('is refused by a PodDisruptionBudget that lets none go', async () => {
    const pod = await podWith('kept');
    const metadata = { name: 'kept', namespace: 'default' };
    const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
    await apply(api.direct, pods, { metadata, status }, { fieldManager: 'kubelet', subresource: 'status', signal });
    const spec = { minAvailable: 1, selector: { matchLabels: { app: 'kept' } } };
    await create(api.direct, podDisruptionBudgets, { metadata, spec });
    await expect(evict(api.direct, pod, { signal })).rejects.toMatchObject({ code: 'DisruptionBudget' });
    expect(await isThere(pod)).toBe(true);
  }, 120_000);
});
