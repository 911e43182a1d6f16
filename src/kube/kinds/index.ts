/** Ready-made descriptors, projected to what this product reads. */
export type { ObjectMeta, OwnerReference } from './meta.ts';
export { controllerOf, objectMeta } from './meta.ts';
export type { Container, ContainerStatus, Pod } from './pod.ts';
export { pods } from './pod.ts';
export { incidents, policies } from './robotgc.ts';
export type { ReplicaSet, Workload } from './workloads.ts';
export { daemonSets, deployments, replicaSets, statefulSets } from './workloads.ts';
