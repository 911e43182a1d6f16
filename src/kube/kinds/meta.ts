import { z } from 'zod';

/** Missing, null and empty are the same thing in the Kubernetes API; here they are all the empty value. */
export const orEmpty = <T extends z.ZodType>(schema: T) =>
  z
    .array(schema)
    .nullish()
    .transform((list) => list ?? []);
export const stringMap = z
  .record(z.string(), z.string())
  .nullish()
  .transform((map) => map ?? {});
export const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');
export const count = z
  .number()
  .nullish()
  .transform((value) => value ?? 0);
export const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false);

const ownerReference = z.object({
  apiVersion: z.string(),
  kind: z.string(),
  name: z.string(),
  uid: z.string(),
  controller: flag,
});
export type OwnerReference = z.infer<typeof ownerReference>;

/** Metadata without managedFields, which alone cost 2 to 4 KB a pod. Times are RFC 3339, empty when unset. */
export const objectMeta = z.object({
  name: z.string().min(1),
  namespace: text,
  uid: z.string().min(1),
  resourceVersion: z.string().min(1),
  generation: count,
  labels: stringMap,
  annotations: stringMap,
  ownerReferences: orEmpty(ownerReference),
  creationTimestamp: text,
  deletionTimestamp: text,
});
export type ObjectMeta = z.infer<typeof objectMeta>;

/** The owner that controls the object, if any: ReplicaSet of a pod, Deployment of a ReplicaSet. */
export function controllerOf(meta: Pick<ObjectMeta, 'ownerReferences'>): OwnerReference | undefined {
  return meta.ownerReferences.find((owner) => owner.controller);
}

export const labelSelector = z.object({
  matchLabels: stringMap,
  matchExpressions: orEmpty(
    z.object({
      key: z.string(),
      operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']),
      values: orEmpty(z.string()),
    }),
  ),
});

export const condition = z.object({
  type: z.string(),
  status: z.string(),
  reason: text,
  message: text,
  lastTransitionTime: text,
});
