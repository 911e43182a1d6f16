/** From a pod up to the workload whose template made it. Pure over what the caches hold. */
import {
  controllerOf,
  type OwnerReference,
  type Pod,
  type ReplicaSet,
  type Store,
  type Workload,
} from '../../kube/index.ts';

/** The stores of the kinds on the way up. */
export interface Ladder {
  readonly replicaSets: { readonly store: Store<ReplicaSet> };
  readonly deployments: { readonly store: Store<Workload> };
  readonly statefulSets: { readonly store: Store<Workload> };
  readonly daemonSets: { readonly store: Store<Workload> };
}

export type OwnerOfPod =
  | { readonly type: 'found'; readonly workload: Workload }
  /** `sentence`: whose pod it is, and that a rollout cannot change it. */
  | { readonly type: 'unsupported'; readonly sentence: string };

export function ownerOfPod(ladder: Ladder, pod: Pod): OwnerOfPod {
  const { namespace, name } = pod.metadata;
  const direct = controllerOf(pod.metadata);
  if (!direct) return unsupported(`pod ${name} has no controller`);
  if (direct.kind !== 'ReplicaSet') return workloadOrNot(ladder, namespace, direct, `pod ${name}`);
  const replicaSet = ladder.replicaSets.store.get(`${namespace}/${direct.name}`);
  if (replicaSet?.metadata.uid !== direct.uid)
    return unsupported(`pod ${name} belongs to ReplicaSet ${direct.name}, which is gone`);
  const above = controllerOf(replicaSet.metadata);
  if (!above) return unsupported(`pod ${name} belongs to ReplicaSet ${direct.name}, which nobody controls`);
  return workloadOrNot(ladder, namespace, above, `pod ${name}`);
}

/** A workload by a reference to it; another that was made anew under its name is not the one. */
export function findWorkload(
  ladder: Ladder,
  namespace: string,
  owner: Pick<OwnerReference, 'apiVersion' | 'kind' | 'name' | 'uid'>,
): Workload | undefined {
  const workload = storeOf(ladder, owner)?.get(`${namespace}/${owner.name}`);
  return workload?.metadata.uid === owner.uid ? workload : undefined;
}

function workloadOrNot(ladder: Ladder, namespace: string, owner: OwnerReference, whose: string): OwnerOfPod {
  const described = `${whose} belongs to ${owner.kind} ${owner.name}`;
  // Not ours to change: Argo Rollouts, Kruise, a Job, a static pod's Node.
  if (!storeOf(ladder, owner)) return unsupported(`${described} (${owner.apiVersion})`);
  const workload = findWorkload(ladder, namespace, owner);
  return workload ? { type: 'found', workload } : unsupported(`${described}, which is gone`);
}

function storeOf(
  ladder: Ladder,
  { apiVersion, kind }: Pick<OwnerReference, 'apiVersion' | 'kind'>,
): Store<Workload> | undefined {
  if (apiVersion !== 'apps/v1') return undefined;
  switch (kind) {
    case 'Deployment':
      return ladder.deployments.store;
    case 'StatefulSet':
      return ladder.statefulSets.store;
    case 'DaemonSet':
      return ladder.daemonSets.store;
    default:
      return undefined;
  }
}

function unsupported(whose: string): OwnerOfPod {
  return {
    type: 'unsupported',
    sentence: `${whose}; only pods of a Deployment, StatefulSet or DaemonSet can be changed by a rollout`,
  };
}
