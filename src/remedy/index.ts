/** What to do about a diagnosis, and whether it helped. Pure: imports `model` and `api` alone. */
export { DECISIONS_OF_PEOPLE, type Guardrail, type Objection, PASSING_STATES } from './guardrails.ts';
export { factsOfWindows, type PlanInput } from './input.ts';
export { mannWhitneyLower } from './mann-whitney.ts';
export {
  type EventOf,
  IllegalTransitionError,
  type IncidentEvent,
  nextPhase,
  successors,
  transition,
} from './phase.ts';
export { MIN_CONFIDENCE, plan, WORTHWHILE_CHANGE } from './plan.ts';
export { stretchBefore } from './stretch.ts';
export { type JudgeInput, type Judgement, judge } from './verify.ts';
export type { LiveWay, MissingWay, RolloutWay, Way } from './ways.ts';
