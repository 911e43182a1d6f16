/** What to do about a diagnosis, and whether it helped. Pure: imports `model` and `api` alone. */
export { changeOf, offerUntil, whyNotApproved, whyNotStanding } from './approval.ts';
export { allowedAtOnce, type Batch, nextBatch, type PodProgress } from './blast-radius.ts';
export { onlyBuysTime } from './buy-time.ts';
export {
  type Breaker,
  type BreakerLimits,
  circuitBreaker,
  DEFAULT_BREAKER,
  describeBreaker,
  type FleetEvent,
} from './circuit-breaker.ts';
export {
  DECISIONS_OF_PEOPLE,
  type Guardrail,
  lastObjections,
  type Objection,
  PASSING_STATES,
  sentenceOf,
} from './guardrails.ts';
export { factsOfWindows, type Occasion, type Permission, type PlanInput } from './input.ts';
export { type Calm, calmMs } from './lower-limit.ts';
export { mannWhitneyLower } from './mann-whitney.ts';
export { planPersist } from './persist.ts';
export {
  type EventOf,
  IllegalTransitionError,
  type IncidentEvent,
  nextPhase,
  successors,
  transition,
} from './phase.ts';
export { MIN_CONFIDENCE, plan } from './plan.ts';
export { type Cap, type ResizableContainer, type ResizeWay, type Room, requestUnder, whyNotResize } from './resize.ts';
export { RUNBOOKS, type Runbook } from './runbooks.ts';
export { stretchBefore } from './stretch.ts';
export { planTuning, type TuningInput } from './tuning.ts';
export { type TuningFacts, tuningFacts } from './tuning-facts.ts';
export { heldBack, isNews, remembered } from './tuning-record.ts';
export { firstStepOf, nextToUndo, standing, withdraws } from './undo.ts';
export { type JudgeInput, type Judgement, judge } from './verify.ts';
export type { KnobSetting, LiveWay, MissingWay, RolloutWay, Way } from './ways.ts';
