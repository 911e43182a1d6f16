import { expect, it } from 'vitest';
import {
  type Pod,
  pods,
  type ReplicaSet,
  replicaSets,
  silentLog,
  type Workload,
  type WorkloadKind,
} from '../../kube/index.ts';
import { ObjectStore } from '../../kube/store.ts';
import { findWorkload, ownerOfPod } from './owner.ts';
import { podsOf } from './pods.ts';
import { workloadOf } from './testing.ts';

interface Meta {
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
  };
}
function storeOf<T extends Meta>(...objects: T[]) {
  const byController = (object: Meta) => {
    const owners = 'ownerReferences' in object.metadata ? object.metadata.ownerReferences : [];
    return Array.isArray(owners) ? owners.map(({ uid }) => String(uid)) : [];
  };
  const store = new ObjectStore<T>(silentLog, { controller: byController });
  store.replace(objects.map((object) => ({ key: `robots/${object.metadata.name}`, ...object.metadata, object })));
  return { store };
}
const ref = (kind: string, name: string, uid: string, apiVersion = 'apps/v1') => ({
  apiVersion,
  kind,
  name,
  uid,
  controller: true,
});
const owned = (by?: object) => ({ namespace: 'robots', resourceVersion: '1', ownerReferences: by ? [by] : [] });
const podBy = (by?: object): Pod => pods.parse({ metadata: { ...owned(by), name: 'p', uid: 'p-uid' }, spec: {} });
const setBy = (by?: object): ReplicaSet => replicaSets.parse({ metadata: { ...owned(by), name: 'rs', uid: 'rs-uid' } });
const ladder = (set: ReplicaSet = setBy()) => ({
  replicaSets: storeOf(set),
  deployments: storeOf<Workload>(workloadOf('Deployment', { metadata: { uid: 'd' } })),
  statefulSets: storeOf<Workload>(workloadOf('StatefulSet', { metadata: { uid: 's' } })),
  daemonSets: storeOf<Workload>(workloadOf('DaemonSet', { metadata: { uid: 'n' } })),
});

it.each<[WorkloadKind, Pod, ReplicaSet | undefined]>([
  ['Deployment', podBy(ref('ReplicaSet', 'rs', 'rs-uid')), setBy(ref('Deployment', 'dispatch', 'd'))],
  ['StatefulSet', podBy(ref('StatefulSet', 'dispatch', 's')), undefined],
  ['DaemonSet', podBy(ref('DaemonSet', 'dispatch', 'n')), undefined],
])('the owner of a pod is its %s, and its pods are found from there', (kind, pod, set) => {
  const all = ladder(set);
  const owner = ownerOfPod(all, pod);
  if (owner.type !== 'found') throw new Error(owner.sentence);
  expect(owner.workload.kind).toBe(kind);
  expect(podsOf({ ...all, pods: storeOf(pod) }, owner.workload)).toEqual([pod]);
});

it.each([
  ['nobody', podBy(), undefined, 'no controller'],
  ['a Job', podBy(ref('Job', 'j', 'j', 'batch/v1')), undefined, 'Job j (batch/v1)'],
  [
    'an Argo Rollout',
    podBy(ref('ReplicaSet', 'rs', 'rs-uid')),
    setBy(ref('Rollout', 'r', 'r', 'argoproj.io/v1alpha1')),
    'Rollout r (argoproj.io/v1alpha1)',
  ],
  ['a ReplicaSet of its own', podBy(ref('ReplicaSet', 'rs', 'rs-uid')), setBy(), 'nobody controls'],
  ['a StatefulSet that was made anew', podBy(ref('StatefulSet', 'dispatch', 'older')), undefined, 'which is gone'],
  ['a kind of another group', podBy(ref('StatefulSet', 'dispatch', 's', 'apps.kruise.io/v1')), undefined, 'kruise'],
])('a pod of %s is named as one that no rollout of ours can change', (_, pod, set, says) => {
  expect(ownerOfPod(ladder(set), pod)).toEqual({ type: 'unsupported', sentence: expect.stringContaining(says) });
});

it('a recorded owner is found again only as the very same object', () => {
  expect(findWorkload(ladder(), 'robots', ref('DaemonSet', 'dispatch', 'n'))?.kind).toBe('DaemonSet');
  expect(findWorkload(ladder(), 'robots', ref('DaemonSet', 'dispatch', 'other'))).toBeUndefined();
});
