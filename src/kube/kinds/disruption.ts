import { z } from 'zod';
import type { Resource } from '../resource.ts';
import { count, labelSelector, objectMeta } from './meta.ts';

const budgetSchema = z.object({
  metadata: objectMeta,
  /** Null matches no pod, an empty one every pod of the namespace. */
  spec: z.object({ selector: labelSelector.nullish().transform((selector) => selector ?? null) }),
  status: z.object({ disruptionsAllowed: count, currentHealthy: count, desiredHealthy: count }).prefault({}),
});
export type PodDisruptionBudget = z.infer<typeof budgetSchema>;

export const podDisruptionBudgets: Resource<PodDisruptionBudget> = {
  group: 'policy',
  version: 'v1',
  plural: 'poddisruptionbudgets',
  kind: 'PodDisruptionBudget',
  namespaced: true,
  parse: (raw) => budgetSchema.parse(raw),
};
