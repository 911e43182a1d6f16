/** Workloads and pods for tests, as the API server would hand them out; changed where a test says so. */
import {
  daemonSets,
  deployments,
  type Pod,
  pods,
  statefulSets,
  type Workload,
  type WorkloadKind,
} from '../../kube/index.ts';

const KINDS = { Deployment: deployments, StatefulSet: statefulSets, DaemonSet: daemonSets };

export interface WorkloadParts {
  readonly metadata?: object;
  readonly spec?: object;
  readonly status?: object;
  readonly containers?: readonly object[];
}

export function workloadOf(kind: WorkloadKind, { metadata, spec, status, containers }: WorkloadParts = {}): Workload {
  return KINDS[kind].parse({
    metadata: { name: 'dispatch', namespace: 'robots', uid: 'u', resourceVersion: '1', generation: 2, ...metadata },
    spec: {
      ...(kind === 'DaemonSet' ? {} : { replicas: 3 }),
      ...spec,
      template: { metadata: { labels: { app: 'dispatch' } }, spec: { containers: containers ?? [{ name: 'robot' }] } },
    },
    status: {
      observedGeneration: 2,
      ...(kind === 'DaemonSet'
        ? {
            desiredNumberScheduled: 3,
            currentNumberScheduled: 3,
            updatedNumberScheduled: 3,
            numberReady: 3,
            numberAvailable: 3,
          }
        : { replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3 }),
      ...status,
    },
  });
}

export interface PodParts {
  readonly metadata?: object;
  readonly containers?: readonly object[];
  readonly ready?: boolean;
  readonly containerStatuses?: readonly object[];
}

export function podOf(name: string, { metadata, containers, ready = true, containerStatuses }: PodParts = {}): Pod {
  return pods.parse({
    metadata: { name, namespace: 'robots', uid: `${name}-uid`, resourceVersion: '1', ...metadata },
    spec: { containers: containers ?? [{ name: 'robot' }] },
    status: {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
      containerStatuses: containerStatuses ?? [],
    },
  });
}
