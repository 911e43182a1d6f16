import {
  daemonSets,
  deployments,
  type Resource,
  statefulSets,
  type Workload,
  type WorkloadKind,
} from '../../kube/index.ts';

const RESOURCES: Readonly<Record<WorkloadKind, Resource<Workload>>> = {
  Deployment: deployments,
  StatefulSet: statefulSets,
  DaemonSet: daemonSets,
};

/** Undefined for a kind whose pods cannot be changed by a rollout of ours. */
export function workloadResource({
  apiVersion,
  kind,
}: {
  apiVersion: string;
  kind: string;
}): Resource<Workload> | undefined {
  if (apiVersion !== 'apps/v1') return undefined;
  return Object.values(RESOURCES).find((resource) => resource.kind === kind);
}
