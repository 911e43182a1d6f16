/** What bounds the resources of pods: the room of a node, and what a namespace may take. Quantities stay text. */
import { z } from 'zod';
import type { Resource } from '../resource.ts';
import { objectMeta, orEmpty, stringMap, text } from './meta.ts';

const nodeSchema = z.object({
  metadata: objectMeta,
  status: z.object({ allocatable: stringMap }).prefault({}),
});
export type Node = z.infer<typeof nodeSchema>;

export const nodes: Resource<Node> = {
  group: '',
  version: 'v1',
  plural: 'nodes',
  kind: 'Node',
  namespaced: false,
  parse: (raw) => nodeSchema.parse(raw),
};

const resourceQuotaSchema = z.object({
  metadata: objectMeta,
  spec: z.object({ scopes: orEmpty(z.string()), scopeSelector: z.unknown().optional() }).prefault({}),
  status: z.object({ hard: stringMap, used: stringMap }).prefault({}),
});
export type ResourceQuota = z.infer<typeof resourceQuotaSchema>;

export const resourceQuotas: Resource<ResourceQuota> = {
  group: '',
  version: 'v1',
  plural: 'resourcequotas',
  kind: 'ResourceQuota',
  namespaced: true,
  parse: (raw) => resourceQuotaSchema.parse(raw),
};

const limitRangeSchema = z.object({
  metadata: objectMeta,
  spec: z
    .object({
      limits: orEmpty(z.object({ type: text, min: stringMap, max: stringMap, maxLimitRequestRatio: stringMap })),
    })
    .prefault({}),
});
export type LimitRange = z.infer<typeof limitRangeSchema>;

export const limitRanges: Resource<LimitRange> = {
  group: '',
  version: 'v1',
  plural: 'limitranges',
  kind: 'LimitRange',
  namespaced: true,
  parse: (raw) => limitRangeSchema.parse(raw),
};
