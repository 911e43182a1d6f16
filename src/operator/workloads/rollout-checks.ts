/**
 * What stands against a rollout of ours, known before anything is touched. One check, one small pure function: `(subject) → sentence | none`,
 * with the name or the number that decided.
 */
import type { Knob } from '../../api/index.ts';
import { controllerOf, type VerticalPodAutoscaler, type Workload } from '../../kube/index.ts';
import { takesDownAtOnce } from './disturbance.ts';
import { gitOpsOf } from './gitops.ts';
import type { Neighbours } from './neighbours.ts';
import { ownsPartition } from './owned.ts';

export interface RolloutSubject {
  readonly workload: Workload;
  readonly container: string;
  readonly knob: Knob;
  readonly neighbours: Neighbours;
  /** The policy lets robotgc take fields from others. */
  readonly takeOver: boolean;
  /** The policy wants one pod first. */
  readonly canary: boolean;
  /** The running pods have it already, and are not to be given it by new ones. */
  readonly inEffect?: boolean;
}

export type RolloutCheck = (subject: RolloutSubject) => string | undefined;

export interface AgainstRollout {
  /** The way is not open, whoever else there is. */
  readonly obstacles: readonly string[];
  /** Someone else has the say: the way is not open, and people should know. */
  readonly conflicts: readonly string[];
  /** States that pass, by the name of the guardrail. */
  readonly passing: readonly { readonly guardrail: string; readonly message: string }[];
}

export function againstRollout(subject: RolloutSubject): AgainstRollout {
  const sentences = (checks: readonly RolloutCheck[]) => checks.flatMap((check) => check(subject) ?? []);
  return {
    obstacles: sentences([unread, updateOnDelete, pausedRollout, partitionOfOthers, canaryWithoutPartition]),
    conflicts: sentences([gitOps, anotherController, verticalAutoscaler]),
    passing: [
      ...sentences([disruptionBudget]).map((message) => ({ guardrail: 'PodDisruptionBudget', message })),
      ...sentences([scaling]).map((message) => ({ guardrail: 'ScalingInProgress', message })),
    ],
  };
}

/** What is not known may be a budget that would be broken. */
function unread({ workload, neighbours }: RolloutSubject): string | undefined {
  if (neighbours.unread === undefined) return undefined;
  return `it is not known what else has a say in the pods of ${nameOf(workload)}: ${neighbours.unread}.`;
}

function updateOnDelete({ workload, inEffect }: RolloutSubject): string | undefined {
  if (workload.spec.strategyType !== 'OnDelete' || inEffect) return undefined;
  return `${nameOf(workload)} has updateStrategy OnDelete: its pods keep the old setting until somebody deletes them.`;
}

function pausedRollout({ workload }: RolloutSubject): string | undefined {
  return workload.spec.paused
    ? `${nameOf(workload)} is paused: a change of its template would not be rolled out.`
    : undefined;
}

function partitionOfOthers({ workload }: RolloutSubject): string | undefined {
  const { partition } = workload.spec;
  if (partition === 0 || ownsPartition(workload)) return undefined;
  return `${nameOf(workload)} has partition ${partition}: its pods below that ordinal would keep the old setting.`;
}

/** Decision 0020. Of a single pod, one pod first is all of them. */
function canaryWithoutPartition({ workload, canary, inEffect }: RolloutSubject): string | undefined {
  const { kind, spec } = workload;
  if (!canary || inEffect || kind === 'StatefulSet' || spec.replicas <= 1) return undefined;
  return `the policy says canary: true, and a ${kind} cannot be rolled out to one of its ${spec.replicas} pods first; Live can.`;
}

function gitOps({ workload, takeOver }: RolloutSubject): string | undefined {
  const managed = takeOver ? undefined : gitOpsOf(workload);
  if (!managed) return undefined;
  const { tool, by } = managed;
  return `${nameOf(workload)} is kept as Git says by ${tool} (${by}), which may put a change back; make it there, or set actions.fieldConflicts: TakeOver.`;
}

function anotherController({ workload, takeOver }: RolloutSubject): string | undefined {
  const owner = takeOver ? undefined : controllerOf(workload.metadata);
  if (!owner) return undefined;
  return `${nameOf(workload)} is made by ${owner.kind} ${owner.name}, which may put a change back; make it there, or set actions.fieldConflicts: TakeOver.`;
}

/** Not to be forced: it sets the memory of each new pod whatever the template says. */
function verticalAutoscaler({ knob, neighbours, container }: RolloutSubject): string | undefined {
  const owner = knob === 'GOGC' ? undefined : memoryAutoscaler(neighbours.vertical, container);
  if (!owner) return undefined;
  return `VerticalPodAutoscaler ${owner.metadata.name} sets the memory of container ${container}; leave it to that, or exclude the container there (mode: "Off").`;
}

/** The vertical autoscaler that has the say on a container's memory, if any. */
export function memoryAutoscaler(
  vertical: readonly VerticalPodAutoscaler[],
  container: string,
): VerticalPodAutoscaler | undefined {
  return vertical.find(({ spec }) => {
    if (spec.updatePolicy?.updateMode === 'Off') return false;
    const policies = spec.resourcePolicy?.containerPolicies ?? [];
    const own =
      policies.find(({ containerName }) => containerName === container) ??
      policies.find(({ containerName }) => containerName === '*');
    if (own?.mode === 'Off') return false;
    return !own || own.controlledResources.length === 0 || own.controlledResources.includes('memory');
  });
}

/** Rolling updates ask no PodDisruptionBudget; its promise is kept here. */
function disruptionBudget({ workload, neighbours }: RolloutSubject): string | undefined {
  const down = takesDownAtOnce(workload);
  const short = neighbours.budgets.find(({ status }) => status.disruptionsAllowed < down);
  if (!short) return undefined;
  const { disruptionsAllowed, currentHealthy, desiredHealthy } = short.status;
  return (
    `a rollout of ${nameOf(workload)} takes ${down} pods down at once, PodDisruptionBudget ${short.metadata.name} allows ` +
    `${disruptionsAllowed} (${currentHealthy} healthy, ${desiredHealthy} wanted)`
  );
}

function scaling({ neighbours }: RolloutSubject): string | undefined {
  const busy = neighbours.horizontal.find(
    // Before the first measurement nothing is desired yet.
    ({ status }) => status.desiredReplicas > 0 && status.currentReplicas !== status.desiredReplicas,
  );
  if (!busy) return undefined;
  const { currentReplicas, desiredReplicas } = busy.status;
  return `HorizontalPodAutoscaler ${busy.metadata.name} is scaling from ${currentReplicas} to ${desiredReplicas} pods`;
}

function nameOf({ kind, metadata }: Workload): string {
  return `${kind} ${metadata.name}`;
}
