/** Ready-made descriptors, projected to what this product reads. */
export {
  type HorizontalPodAutoscaler,
  horizontalPodAutoscalers,
  type VerticalPodAutoscaler,
  verticalPodAutoscalers,
} from './autoscalers.ts';
export {
  type LimitRange,
  limitRanges,
  type Node,
  nodes,
  type ResourceQuota,
  resourceQuotas,
} from './capacity.ts';
export { type PodDisruptionBudget, podDisruptionBudgets } from './disruption.ts';
export type { ObjectMeta, OwnerReference } from './meta.ts';
export { controllerOf, objectMeta } from './meta.ts';
export type { Container, ContainerStatus, Pod } from './pod.ts';
export { memoryLimitOf, pods } from './pod.ts';
export { incidents, policies } from './robotgc.ts';
export type { ReplicaSet, Workload, WorkloadKind } from './workloads.ts';
export { daemonSets, deployments, replicaSets, statefulSets } from './workloads.ts';
