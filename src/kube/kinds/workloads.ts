import { z } from 'zod';
import type { Resource } from '../resource.ts';
import { condition, count, flag, objectMeta, orEmpty, stringMap, text } from './meta.ts';
import { container } from './pod.ts';

const labelSelector = z
  .object({
    matchLabels: stringMap,
    matchExpressions: orEmpty(z.object({ key: z.string(), operator: z.string(), values: orEmpty(z.string()) })),
  })
  .nullish()
  .transform((selector) => selector ?? { matchLabels: {}, matchExpressions: [] });

const template = z.object({
  metadata: z.object({ labels: stringMap, annotations: stringMap }).prefault({}),
  spec: z.object({ containers: orEmpty(container), initContainers: orEmpty(container) }).prefault({}),
});

/** One shape for what owns pods: counts that a kind does not have are 0, so that callers need no switch over kinds. */
const workloadSchema = z.object({
  metadata: objectMeta,
  spec: z.object({
    replicas: z
      .number()
      .nullish()
      .transform((value) => value ?? 1),
    paused: flag,
    selector: labelSelector,
    template: template.prefault({}),
    strategyType: text,
  }),
  status: z
    .object({
      observedGeneration: count,
      replicas: count,
      updatedReplicas: count,
      readyReplicas: count,
      availableReplicas: count,
      conditions: orEmpty(condition),
    })
    .prefault({}),
});
export type Workload = z.infer<typeof workloadSchema>;

const rawWorkload = z.looseObject({
  spec: z.looseObject({
    strategy: z.object({ type: text }).nullish(),
    updateStrategy: z.object({ type: text }).nullish(),
  }),
});

function parseWorkload(raw: unknown): Workload {
  const { spec } = rawWorkload.parse(raw);
  const strategyType = spec.strategy?.type ?? spec.updateStrategy?.type ?? '';
  return workloadSchema.parse({ ...rawWorkload.parse(raw), spec: { ...spec, strategyType } });
}

const daemonStatus = z.looseObject({
  status: z
    .object({
      observedGeneration: count,
      desiredNumberScheduled: count,
      currentNumberScheduled: count,
      updatedNumberScheduled: count,
      numberReady: count,
      numberAvailable: count,
      conditions: orEmpty(z.unknown()),
    })
    .prefault({}),
  spec: z.looseObject({}),
});

/** A DaemonSet counts nodes; its numbers are given the names that the other kinds use. */
function parseDaemonSet(raw: unknown): Workload {
  const object = daemonStatus.parse(raw);
  const { status } = object;
  return parseWorkload({
    ...object,
    spec: { ...object.spec, replicas: status.desiredNumberScheduled },
    status: {
      observedGeneration: status.observedGeneration,
      replicas: status.currentNumberScheduled,
      updatedReplicas: status.updatedNumberScheduled,
      readyReplicas: status.numberReady,
      availableReplicas: status.numberAvailable,
      conditions: status.conditions,
    },
  });
}

const apps = { group: 'apps', version: 'v1', namespaced: true } as const;

export const deployments: Resource<Workload> = {
  ...apps,
  plural: 'deployments',
  kind: 'Deployment',
  parse: parseWorkload,
};
export const statefulSets: Resource<Workload> = {
  ...apps,
  plural: 'statefulsets',
  kind: 'StatefulSet',
  parse: parseWorkload,
};
export const daemonSets: Resource<Workload> = {
  ...apps,
  plural: 'daemonsets',
  kind: 'DaemonSet',
  parse: parseDaemonSet,
};

/** A ReplicaSet is kept only to climb from a pod to its Deployment: metadata, no template. */
const replicaSetSchema = z.object({
  metadata: objectMeta,
  spec: z.object({ replicas: count }).prefault({}),
});
export type ReplicaSet = z.infer<typeof replicaSetSchema>;

export const replicaSets: Resource<ReplicaSet> = {
  ...apps,
  plural: 'replicasets',
  kind: 'ReplicaSet',
  parse: (raw) => replicaSetSchema.parse(raw),
};
