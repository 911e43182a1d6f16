import { z } from 'zod';
import type { Resource } from '../resource.ts';
import { condition, count, flag, objectMeta, orEmpty, stringMap, text } from './meta.ts';

/** Quantities stay text, as the API writes them (`192Mi`, `500m`). */
export const resources = z
  .object({ requests: stringMap, limits: stringMap })
  .nullish()
  .transform((value) => value ?? { requests: {}, limits: {} });

/** A variable of a container; `fromRef` marks one whose value comes from elsewhere (ConfigMap, field, …) and is not known here. */
const envVar = z
  .object({ name: z.string(), value: text, valueFrom: z.unknown().optional() })
  .transform(({ name, value, valueFrom }) => ({ name, value, fromRef: valueFrom !== undefined && valueFrom !== null }));

export const container = z.object({
  name: z.string(),
  image: text,
  env: orEmpty(envVar),
  resources,
  ports: orEmpty(z.object({ name: text, containerPort: z.number(), protocol: text })),
  resizePolicy: orEmpty(z.object({ resourceName: z.string(), restartPolicy: z.string() })),
  /** `Always` on an init container makes it a sidecar. */
  restartPolicy: text,
});
export type Container = z.infer<typeof container>;

const terminated = z.object({ exitCode: count, reason: text, startedAt: text, finishedAt: text });
const stateOf = z
  .object({
    running: z.object({ startedAt: text }).nullish(),
    waiting: z.object({ reason: text, message: text }).nullish(),
    terminated: terminated.nullish(),
  })
  .nullish()
  .transform((state) => ({
    ...(state?.running ? { running: state.running } : {}),
    ...(state?.waiting ? { waiting: state.waiting } : {}),
    ...(state?.terminated ? { terminated: state.terminated } : {}),
  }));

const containerStatus = z.object({
  name: z.string(),
  /** For example `containerd://<64 hex digits>`; empty before the first start. */
  containerID: text,
  imageID: text,
  ready: flag,
  started: flag,
  restartCount: count,
  state: stateOf,
  lastState: stateOf,
  /** What is in effect, as against what the spec asks for. */
  resources,
});
export type ContainerStatus = z.infer<typeof containerStatus>;

/** Longer than any number or word that is looked for in a pod's annotations. */
const maxAnnotationLength = 64;
/** Settings for some containers; ours are longer, and no more than this is read. */
const maxOwnAnnotationLength = 4096;
const ownPrefix = 'robotgc.dev/';

/**
 * Keys, and values that are short: policies name keys of their own choice, and what makes pods large is whole documents kept as values
 * (last-applied-configuration, network-status). In place of such a value stands `…`.
 */
const shortAnnotations = stringMap.transform((map) =>
  Object.fromEntries(
    Object.entries(map).map(([key, value]) => {
      const most = key.startsWith(ownPrefix) ? maxOwnAnnotationLength : maxAnnotationLength;
      return [key, value.length > most ? '…' : value];
    }),
  ),
);

const podSchema = z.object({
  metadata: objectMeta.extend({ annotations: shortAnnotations }),
  spec: z.object({
    nodeName: text,
    hostNetwork: flag,
    restartPolicy: text,
    /** Of the pod as a whole, within which its containers share. */
    resources,
    containers: orEmpty(container),
    initContainers: orEmpty(container),
  }),
  status: z
    .object({
      phase: text,
      podIP: text,
      hostIP: text,
      qosClass: text,
      startTime: text,
      conditions: orEmpty(condition.extend({ observedGeneration: count })),
      containerStatuses: orEmpty(containerStatus),
      initContainerStatuses: orEmpty(containerStatus),
    })
    .prefault({}),
});
export type Pod = z.infer<typeof podSchema>;

export const pods: Resource<Pod> = {
  group: '',
  version: 'v1',
  plural: 'pods',
  kind: 'Pod',
  namespaced: true,
  parse: (raw) => podSchema.parse(raw),
};

/** In effect by the kubelet, else as the pod's spec asks; a quantity. */
export function memoryLimitOf({ spec, status }: Pick<Pod, 'spec' | 'status'>, container: string): string | undefined {
  const known = status.containerStatuses.find(({ name }) => name === container);
  const asked = spec.containers.find(({ name }) => name === container);
  return known?.resources.limits.memory ?? asked?.resources.limits.memory;
}
