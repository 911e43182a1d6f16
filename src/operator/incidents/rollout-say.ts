/** What stands against a rollout, as a plan tells it: a way that is not open, a guardrail that passes, a conflict that people should know of. Pure. */
import { Knob, type Plan, type RobotGCPolicy } from '../../api/index.ts';
import { type MissingWay, type Objection, sentenceOf } from '../../remedy/index.ts';
import { type AgainstRollout, againstRollout, memoryAutoscaler } from '../workloads/rollout-checks.ts';
import type { FoundWorkload } from './workload.ts';

export function standsAgainst(
  { object, container, neighbours }: FoundWorkload,
  { spec }: RobotGCPolicy,
  knob: Knob,
  inEffect = false,
): AgainstRollout {
  return againstRollout({
    workload: object,
    container,
    knob,
    neighbours,
    takeOver: spec.actions.fieldConflicts === 'TakeOver',
    canary: spec.actions.canary,
    inEffect,
  });
}

/** What is left to a rollout beside an autoscaler that sets the memory of each new pod whatever the template says. */
export function rolloutKnobs({ neighbours, container }: FoundWorkload): readonly Knob[] {
  return memoryAutoscaler(neighbours.vertical, container) ? ['GOGC'] : Knob.options;
}

/** None while nothing stands against it for good. */
export function closedRollout({ obstacles, conflicts }: AgainstRollout): MissingWay[] {
  const sentences = [...obstacles, ...conflicts];
  return sentences.length > 0 ? [{ kind: 'Missing', of: 'Rollout', why: `No rollout: ${sentences.join(' ')}` }] : [];
}

/** Adds the guardrails that hold a rollout alone, and the conflicts for which one was left out. */
export function withSay(plan: Plan, { passing, conflicts }: AgainstRollout, { spec }: RobotGCPolicy): Plan {
  const { apply } = spec.actions;
  const at = apply.indexOf('Rollout');
  const leftOut = at >= 0 && conflicts.length > 0 && (plan.kind === 'None' || at < apply.indexOf(plan.kind));
  const told = leftOut ? { ...plan, conflicts: [...conflicts] } : plan;
  return plan.kind === 'Rollout' && plan.patch === undefined ? heldBack(told, passing) : told;
}

function heldBack(plan: Plan, passing: readonly Objection[]): Plan {
  if (passing.length === 0) return plan;
  return { ...plan, blockedBy: [...(plan.blockedBy ?? []), ...passing.map(sentenceOf)] };
}
