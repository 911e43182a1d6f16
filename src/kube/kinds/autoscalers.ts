/** What scales workloads: the horizontal one changes the number of pods, the vertical one (a custom resource, often absent) their resources. */
import { z } from 'zod';
import type { Resource } from '../resource.ts';
import { count, objectMeta, orEmpty, text } from './meta.ts';

const target = z.object({ apiVersion: text, kind: text, name: text });

const horizontalSchema = z.object({
  metadata: objectMeta,
  spec: z.object({ scaleTargetRef: target }),
  status: z.object({ currentReplicas: count, desiredReplicas: count }).prefault({}),
});
export type HorizontalPodAutoscaler = z.infer<typeof horizontalSchema>;

const verticalSchema = z.object({
  metadata: objectMeta,
  spec: z.object({
    targetRef: target.nullish(),
    updatePolicy: z.object({ updateMode: text }).nullish(),
    resourcePolicy: z
      .object({
        containerPolicies: orEmpty(
          z.object({ containerName: text, mode: text, controlledResources: orEmpty(z.string()) }),
        ),
      })
      .nullish(),
  }),
});
export type VerticalPodAutoscaler = z.infer<typeof verticalSchema>;

export const horizontalPodAutoscalers: Resource<HorizontalPodAutoscaler> = {
  group: 'autoscaling',
  version: 'v2',
  plural: 'horizontalpodautoscalers',
  kind: 'HorizontalPodAutoscaler',
  namespaced: true,
  parse: (raw) => horizontalSchema.parse(raw),
};

export const verticalPodAutoscalers: Resource<VerticalPodAutoscaler> = {
  group: 'autoscaling.k8s.io',
  version: 'v1',
  plural: 'verticalpodautoscalers',
  kind: 'VerticalPodAutoscaler',
  namespaced: true,
  parse: (raw) => verticalSchema.parse(raw),
};
