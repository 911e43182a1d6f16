/** What else in the namespace has a say in a workload's pods: read when it is asked for, so that nothing is decided on yesterday's budget. */
import { matchesSelector } from '../../api/index.ts';
import {
  type HorizontalPodAutoscaler,
  horizontalPodAutoscalers,
  isKubeError,
  list,
  type PodDisruptionBudget,
  podDisruptionBudgets,
  type Resource,
  type Transport,
  type VerticalPodAutoscaler,
  verticalPodAutoscalers,
  type Workload,
} from '../../kube/index.ts';

export interface Neighbours {
  /** Those that cover the pods of the workload's template. */
  readonly budgets: readonly PodDisruptionBudget[];
  /** Those that name the workload as their target. */
  readonly horizontal: readonly HorizontalPodAutoscaler[];
  readonly vertical: readonly VerticalPodAutoscaler[];
  /** Why they are not known. */
  readonly unread?: string;
}

export const NO_NEIGHBOURS: Neighbours = { budgets: [], horizontal: [], vertical: [] };

/** @throws KubeError, also where the operator may not read them: then nothing is known, and nothing is to be changed */
export async function readNeighbours(
  transport: Transport,
  workload: Workload,
  signal: AbortSignal,
): Promise<Neighbours> {
  const { namespace } = workload.metadata;
  const listed = <T>(resource: Resource<T>): Promise<T[]> => listIfServed(transport, resource, namespace, signal);
  const [budgets, horizontal, vertical] = await Promise.all([
    listed(podDisruptionBudgets),
    listed(horizontalPodAutoscalers),
    listed(verticalPodAutoscalers),
  ]);
  return {
    budgets: budgets.filter((budget) => covers(budget, workload)),
    horizontal: horizontal.filter(({ spec }) => isTarget(spec.scaleTargetRef, workload)),
    vertical: vertical.filter(({ spec }) => spec.targetRef && isTarget(spec.targetRef, workload)),
  };
}

/** A kind that the server does not know (the vertical autoscaler is an add-on) has no objects. */
async function listIfServed<T>(
  transport: Transport,
  resource: Resource<T>,
  namespace: string,
  signal: AbortSignal,
): Promise<T[]> {
  try {
    return await list(transport, resource, { namespace, signal });
  } catch (error) {
    if (isKubeError(error, 'NotFound')) return [];
    throw error;
  }
}

function covers({ spec }: PodDisruptionBudget, workload: Workload): boolean {
  return spec.selector !== null && matchesSelector(spec.selector, workload.spec.template.metadata.labels);
}

function isTarget({ kind, name }: { kind: string; name: string }, workload: Workload): boolean {
  return kind === workload.kind && name === workload.metadata.name;
}
