import { z } from 'zod';
import type { Resource } from '../resource.ts';
import { fieldOwners } from './managed-fields.ts';
import { condition, count, flag, labelSelector, objectMeta, orEmpty, stringMap, text } from './meta.ts';
import { container } from './pod.ts';

const template = z.object({
  metadata: z.object({ labels: stringMap, annotations: stringMap }).prefault({}),
  spec: z.object({ containers: orEmpty(container), initContainers: orEmpty(container) }).prefault({}),
});

/** A number of pods, or a share of all such as `25%`; empty where the kind has none. */
const numberOrShare = z
  .union([z.number(), z.string()])
  .nullish()
  .transform((value) => (value === null || value === undefined ? '' : String(value)));

const updateStrategy = z.object({
  type: text,
  rollingUpdate: z.object({ partition: count, maxUnavailable: numberOrShare, maxSurge: numberOrShare }).nullish(),
});

export type WorkloadKind = 'Deployment' | 'StatefulSet' | 'DaemonSet';

/** One shape for what owns pods: counts that a kind does not have are 0, so that callers need no switch over kinds. */
const workloadSchema = z.object({
  metadata: objectMeta,
  spec: z.object({
    replicas: z
      .number()
      .nullish()
      .transform((value) => value ?? 1),
    paused: flag,
    selector: labelSelector.nullish().transform((selector) => selector ?? { matchLabels: {}, matchExpressions: [] }),
    template: template.prefault({}),
    strategyType: text,
    /** Of a StatefulSet: pods with a lower ordinal stay as they are. */
    partition: count,
    maxUnavailable: numberOrShare,
    maxSurge: numberOrShare,
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
export type Workload = z.infer<typeof workloadSchema> & z.infer<typeof fieldOwners> & { readonly kind: WorkloadKind };

const rawWorkload = z.looseObject({
  metadata: z.unknown(),
  spec: z.looseObject({ strategy: updateStrategy.nullish(), updateStrategy: updateStrategy.nullish() }),
});

function parseWorkload(kind: WorkloadKind, raw: unknown): Workload {
  const object = rawWorkload.parse(raw);
  const strategy = object.spec.strategy ?? object.spec.updateStrategy;
  const spec = { ...object.spec, strategyType: strategy?.type, ...strategy?.rollingUpdate };
  return { kind, ...workloadSchema.parse({ ...object, spec }), ...fieldOwners.parse(object.metadata) };
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
  return parseWorkload('DaemonSet', {
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
  parse: (raw) => parseWorkload('Deployment', raw),
};
export const statefulSets: Resource<Workload> = {
  ...apps,
  plural: 'statefulsets',
  kind: 'StatefulSet',
  parse: (raw) => parseWorkload('StatefulSet', raw),
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
