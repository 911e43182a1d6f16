/** Pods, policies and incidents as the API server hands them out, for tests: parsed by the same schemas. */
import { RobotGCIncident, RobotGCPolicy } from '../../api/index.ts';
import { type Pod, pods } from '../../kube/index.ts';
import type { Breach } from '../../model/index.ts';

export function policy(name: string, spec: object = {}, metadata: object = {}): RobotGCPolicy {
  return RobotGCPolicy.parse({
    apiVersion: 'robotgc.dev/v1alpha1',
    kind: 'RobotGCPolicy',
    metadata: { name, namespace: 'robots', uid: `policy-${name}`, generation: 1, ...metadata },
    spec: { selector: { matchLabels: { app: 'dispatch' } }, sla: { latencyP99: '200ms' }, ...spec },
  });
}

export const containerIdOf = (letter: string): string => letter.repeat(64);

export interface PodOptions {
  readonly metadata?: object;
  readonly spec?: object;
  readonly status?: object;
  /** Running containers: name → one letter, of which the id is made. */
  readonly running?: Readonly<Record<string, string>>;
}

export function pod(
  name: string,
  { metadata = {}, spec = {}, status = {}, running = { robot: 'a' } }: PodOptions = {},
): Pod {
  const statuses = Object.entries(running).map(([container, letter]) => ({
    name: container,
    containerID: `containerd://${containerIdOf(letter)}`,
    state: { running: { startedAt: '2026-01-01T00:00:00Z' } },
  }));
  return pods.parse({
    metadata: {
      name,
      namespace: 'robots',
      uid: `pod-${name}`,
      resourceVersion: '1',
      labels: { app: 'dispatch' },
      ...metadata,
    },
    spec: { nodeName: 'node-1', containers: Object.keys(running).map((container) => ({ name: container })), ...spec },
    status: { phase: 'Running', podIP: '10.0.0.7', containerStatuses: statuses, ...status },
  });
}

/** 42 ms of GC stall where 30 were promised. */
export const stallOverLimit: Omit<Breach, 'type'> = {
  signal: 'gcStallP99',
  observed: 42e6,
  threshold: 30e6,
  unit: 'ns',
  breachingWindows: 3,
  ofWindows: 5,
  firstBreachAt: '2026-01-01T00:00:00Z',
};

export function incident(
  name: string,
  over: { metadata?: object; spec?: object; status?: object } = {},
): RobotGCIncident {
  return RobotGCIncident.parse({
    apiVersion: 'robotgc.dev/v1alpha1',
    kind: 'RobotGCIncident',
    metadata: {
      name,
      namespace: 'robots',
      uid: `incident-${name}`,
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...over.metadata,
    },
    spec: {
      policy: { name: 'dispatch', uid: 'policy-dispatch', generation: 1 },
      pod: { name: 'dispatch-0', uid: 'pod-dispatch-0' },
      container: { name: 'robot', id: containerIdOf('a') },
      node: 'node-1',
      trigger: { ...stallOverLimit, detectedAt: '2026-01-01T00:00:03Z' },
      ...over.spec,
    },
    status: over.status ?? {},
  });
}
