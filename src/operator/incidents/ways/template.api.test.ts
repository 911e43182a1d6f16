/** The write of a rollout on the real API server: what it takes, what it leaves to others, and how it goes back. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiRig } from '../../../../test/support/api-rig.ts';
import type { ActionRecord, RobotGCPolicy } from '../../../api/index.ts';
import { create, find, get, patchStrategic, pods, statefulSets, type Workload } from '../../../kube/index.ts';
import { incidentWith, iso, policyWith, viewWith } from '../testing.ts';
import { applyToTemplate } from './template.ts';

const signal = AbortSignal.timeout(120_000);
let api: ApiRig;

beforeAll(async () => {
  api = await ApiRig.start();
  await api.direct.json({ method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name: 'robots' } } });
}, 120_000);
afterAll(() => api?.stop());

const labelsOf = (name: string) => ({ app: name });
const templateOf = (name: string, gogc: string) => ({
  metadata: { labels: labelsOf(name) },
  spec: { containers: [{ name: 'robot', image: 'i', env: [{ name: 'GOGC', value: gogc }] }] },
});

function statefulSet(name: string): Promise<Workload> {
  const metadata = { name, namespace: 'robots' };
  const selector = { matchLabels: labelsOf(name) };
  const spec = { replicas: 3, serviceName: name, selector, template: templateOf(name, '10') };
  return create(api.direct, statefulSets, { metadata, spec }, { fieldManager: 'team' });
}

async function podOf(set: Workload, ordinal: number, gogc: string, ready: boolean): Promise<string> {
  const { name, uid } = set.metadata;
  const metadata = {
    name: `${name}-${ordinal}`,
    namespace: 'robots',
    labels: labelsOf(name),
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name, uid, controller: true }],
  };
  const { spec } = templateOf(name, gogc);
  await create(api.direct, pods, { metadata, spec: { ...spec, automountServiceAccountToken: false } });
  const status = { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] };
  await patchStrategic(api.direct, pods, metadata, { status }, { subresource: 'status' });
  return metadata.name;
}

const act = (set: Workload, action: Partial<ActionRecord> = {}, policy: RobotGCPolicy = takeOver) =>
  applyToTemplate(
    { transport: api.direct, incident: incidentWith(), policy, view: viewWith(), fence: async () => {} },
    {
      kind: 'Rollout',
      owner: { apiVersion: 'apps/v1', kind: 'StatefulSet', name: set.metadata.name, uid: set.metadata.uid },
      container: 'robot',
      knob: 'GOGC',
      before: '10',
      after: '100',
      at: iso(0),
      result: 'Pending',
      ...action,
    },
    signal,
  );
const takeOver = policyWith({ fieldConflicts: 'TakeOver' });
const now = (set: Workload) => get(api.direct, statefulSets, set.metadata);
const gogcOf = ({ spec }: Workload) => spec.template.spec.containers[0]?.env[0]?.value;

describe('the write of a rollout', () => {
  it('takes a field from another manager only where the policy says so, and names whose it was', async () => {
    const set = await statefulSet('owned');
    const refused = await act(set, {}, policyWith());
    expect(refused).toMatchObject({ type: 'refused', conflictsWith: ['team'] });
    expect(gogcOf(await now(set))).toBe('10');
    expect(await act(set)).toEqual({ type: 'applied', previousManagers: ['team'] });
    expect(await act(set)).toEqual({ type: 'applied', previousManagers: [] });
    expect(gogcOf(await now(set))).toBe('100');
  });

  it('refuses a workload that was made anew under its name', async () => {
    const set = await statefulSet('anew');
    const older = { ...set, metadata: { ...set.metadata, uid: 'older' } };
    expect(await act(older)).toEqual({ type: 'refused', message: 'StatefulSet anew is gone' });
  });

  it('reaches one pod of a StatefulSet first, then the others, and leaves nothing of the canary', async () => {
    const set = await statefulSet('canary');
    await act(set, { canary: true });
    expect(await now(set)).toMatchObject({ spec: { partition: 2 } });
    await act(set);
    const whole = await now(set);
    expect(whole).toMatchObject({ spec: { partition: 0 } });
    expect(gogcOf(whole)).toBe('100');
  });

  it('takes a canary back with its partition, and its reason with it', async () => {
    const set = await statefulSet('undone');
    await act(set, { canary: true });
    expect(Object.keys((await now(set)).metadata.annotations)).toContain('robotgc.dev/cause');
    await act(set, { kind: 'Rollback', undoes: 'Rollout', before: '100', after: '10' });
    const back = await now(set);
    expect({ ...back.spec, annotations: back.metadata.annotations }).toEqual({ ...set.spec, annotations: {} });
  });

  it('frees a StatefulSet of pods that never became ready under the bad template, and of no others', async () => {
    const set = await statefulSet('stuck');
    const old = await podOf(set, 0, '10', false);
    const served = await podOf(set, 1, '100', true);
    const stuck = await podOf(set, 2, '100', false);
    await act(set);
    await act(set, { kind: 'Rollback', undoes: 'Rollout', before: '100', after: '10' });
    const left = async (name: string) => {
      const pod = await find(api.direct, pods, { namespace: 'robots', name });
      return pod !== undefined && pod.metadata.deletionTimestamp === '';
    };
    expect(await Promise.all([old, served, stuck].map(left))).toEqual([true, true, false]);
  });
});
