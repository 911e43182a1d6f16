/** How many pods a rollout takes down at once. Pure. */
import type { Workload } from '../../kube/index.ts';

/** Of the pods that are there: what a PodDisruptionBudget would have to allow. */
export function takesDownAtOnce({ kind, spec }: Workload): number {
  const { replicas, strategyType, maxUnavailable, maxSurge } = spec;
  if (strategyType === 'OnDelete') return 0;
  switch (kind) {
    case 'Deployment': {
      if (strategyType === 'Recreate') return replicas;
      const down = Math.floor(podsOf(maxUnavailable, replicas));
      // The controller makes room where both are rounded to nothing.
      return down === 0 && Math.ceil(podsOf(maxSurge, replicas)) === 0 ? Math.min(1, replicas) : down;
    }
    case 'DaemonSet':
      return podsOf(maxSurge, replicas) > 0
        ? 0
        : Math.min(replicas, Math.max(1, Math.ceil(podsOf(maxUnavailable, replicas))));
    case 'StatefulSet':
      return Math.min(replicas, Math.max(1, Math.ceil(podsOf(maxUnavailable, replicas))));
  }
}

/** `3`, or a share such as `25%`; nothing is 0. */
function podsOf(numberOrShare: string, replicas: number): number {
  if (numberOrShare === '') return 0;
  return numberOrShare.endsWith('%') ? (Number(numberOrShare.slice(0, -1)) / 100) * replicas : Number(numberOrShare);
}
