/** How far a rollout is, by the rule of `kubectl rollout status` for each kind (kubectl 1.37, pkg/polymorphichelpers/rollout_status.go). Pure. */
import type { Workload, WorkloadKind } from '../../kube/index.ts';

export interface RolloutState {
  readonly state: 'settled' | 'progressing' | 'failed';
  /** With the numbers that decided. */
  readonly sentence: string;
}

export function rolloutState(workload: Workload): RolloutState {
  const { metadata, status } = workload;
  if (status.observedGeneration < metadata.generation) {
    return progressing(
      `its controller has seen generation ${status.observedGeneration}, the change is ${metadata.generation}`,
    );
  }
  return BY_KIND[workload.kind](workload);
}

const BY_KIND: Readonly<Record<WorkloadKind, (workload: Workload) => RolloutState>> = {
  Deployment: ({ spec, status }) => {
    const deadline = status.conditions.find(
      ({ type, reason }) => type === 'Progressing' && reason === 'ProgressDeadlineExceeded',
    );
    if (deadline) return { state: 'failed', sentence: deadline.message || 'its progress deadline passed' };
    return (
      below(status.updatedReplicas, spec.replicas, 'pods are new') ??
      left(status.replicas - status.updatedReplicas) ??
      below(status.availableReplicas, status.updatedReplicas, 'new pods are available') ??
      SETTLED
    );
  },
  StatefulSet: ({ spec, status }) =>
    below(status.readyReplicas, spec.replicas, 'pods are ready') ??
    below(status.updatedReplicas, spec.replicas - spec.partition, 'pods are new') ??
    SETTLED,
  DaemonSet: ({ spec, status }) =>
    below(status.updatedReplicas, spec.replicas, 'pods are new') ??
    below(status.availableReplicas, spec.replicas, 'pods are available') ??
    SETTLED,
};

const SETTLED: RolloutState = { state: 'settled', sentence: 'every pod is new and available' };

function progressing(sentence: string): RolloutState {
  return { state: 'progressing', sentence };
}

function below(count: number, wanted: number, what: string): RolloutState | undefined {
  return count < wanted ? progressing(`${count} of ${wanted} ${what}`) : undefined;
}

function left(old: number): RolloutState | undefined {
  return old > 0 ? progressing(`${old} old pods are still there`) : undefined;
}
