/** The two custom resources as whole objects, as the API server hands them out. */
import { z } from 'zod';
import { IncidentSpec, IncidentStatus } from './incident.ts';
import { PolicySpec, PolicyStatus } from './policy.ts';

export const Metadata = z.object({
  name: z.string(),
  namespace: z.string().default('default'),
  uid: z.string().default(''),
  resourceVersion: z.string().default(''),
  generation: z.int().default(0),
  creationTimestamp: z.string().default(''),
  deletionTimestamp: z.string().optional(),
  labels: z.record(z.string(), z.string()).default({}),
  annotations: z.record(z.string(), z.string()).default({}),
});
export type Metadata = z.infer<typeof Metadata>;

export const RobotGCPolicy = z.object({
  apiVersion: z.literal('robotgc.dev/v1alpha1'),
  kind: z.literal('RobotGCPolicy'),
  metadata: Metadata,
  spec: PolicySpec,
  status: PolicyStatus.prefault({}),
});
export type RobotGCPolicy = z.output<typeof RobotGCPolicy>;

export const RobotGCIncident = z.object({
  apiVersion: z.literal('robotgc.dev/v1alpha1'),
  kind: z.literal('RobotGCIncident'),
  metadata: Metadata,
  spec: IncidentSpec,
  status: IncidentStatus.prefault({}),
});
export type RobotGCIncident = z.output<typeof RobotGCIncident>;
