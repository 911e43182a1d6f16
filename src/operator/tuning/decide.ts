/**
 * One step of continuous tuning: `(view, now) → step`. Pure. Write-ahead as with incidents: a change stands in the policy's status as Pending,
 * with the value before it, before anything is touched, so that an operator killed at any point finds out what it had begun.
 */
import type { ActionRecord, Plan, TuningState } from '../../api/index.ts';
import {
  heldBack,
  isNews,
  lastObjections,
  type Occasion,
  planTuning,
  remembered,
  sentenceOf,
  type TuningInput,
} from '../../remedy/index.ts';
import { WINDOW_PERIOD_MS } from '../incidents/judgement.ts';
import { describeAction, describeSetting } from '../incidents/sentences.ts';
import type { Story } from '../incidents/view.ts';
import { underBytesOf } from '../workloads/desired.ts';
import { openAction, type TuningStep, type TuningView, type TuningWrite } from './view.ts';
import { progressOf, waysOf } from './ways.ts';

export function decide(view: TuningView, now: number): TuningStep {
  const { known, policy } = view;
  const open = openAction(known);
  if (known && open)
    return open.result === 'Pending' ? begin(view, known, open, now) : onTheWay(view, known, open, now);
  return policy.spec.tuning.continuous ? look(view, now) : rest(view, now);
}

const OFF: Plan = { kind: 'None', reason: 'Continuous tuning is switched off; what is set stays.' };

/** What was done is kept: budget and cool-down ask for it, should it be switched on again. */
function rest({ known }: TuningView, now: number): TuningStep {
  if (!known?.actions || known.plan.reason === OFF.reason) return { type: 'wait' };
  const { owner, container, actions } = known;
  return { type: 'write', state: { owner, container, plan: OFF, at: new Date(now).toISOString(), actions } };
}

function look(view: TuningView, now: number): TuningStep {
  const { known } = view;
  const plan = withOtherPolicy(view, planTuning(inputOf(view), new Date(now)));
  const state = stateOf(view, plan, now);
  const way = plan.kind === 'Live' || plan.kind === 'Resize' ? plan.kind : undefined;
  if (way && plan.knob && plan.to !== undefined && !plan.blockedBy) {
    const { owner, container } = view.workload;
    const at = new Date(now).toISOString();
    const { knob, from: before = null, to: after } = plan;
    const under = underBytesOf(view.workload.desired, { container, knob }, plan.underBytes);
    const action: ActionRecord = {
      kind: way,
      owner,
      container,
      knob,
      before,
      after,
      ...under,
      at,
      result: 'Pending',
    };
    return { type: 'write', state: withActions(state, [...(state.actions ?? []), action]) };
  }
  if (known && !isNews(known.plan, plan)) return { type: 'wait' };
  const story = storyOf(view, plan);
  return { type: 'write', state, ...(story ? { story } : {}) };
}

function inputOf(view: TuningView): TuningInput {
  const { facts, tuned, calm, workload } = view;
  const wishes = workload.desired[workload.container];
  return { ...occasionOf(view), facts, tuned, calm, wishes, declaredLimitBytes: workload.memoryLimitBytes };
}

function occasionOf(view: TuningView): Occasion {
  const { policy, workload, observeOnly, breaker, history, busyWith, facts } = view;
  const { owner, paused } = workload;
  return {
    spec: policy.spec,
    subject: `${owner.kind} ${owner.name}`,
    paused,
    killSwitch: observeOnly,
    breaker,
    ways: waysOf(view),
    history,
    busyWith,
    newestWindowAgeMs: facts.newestWindowAgeMs,
    windowPeriodMs: WINDOW_PERIOD_MS,
  };
}

/** Two policies may select a container: the one that set it first has the say. */
function withOtherPolicy({ policy, workload }: TuningView, plan: Plan): Plan {
  const setBy = workload.desired[workload.container]?.policy;
  if (plan.kind === 'None' || setBy === undefined || setBy === policy.metadata.uid) return plan;
  const message = `OtherPolicy: what is set live stands there in the name of the policy with uid ${setBy}`;
  return { ...plan, blockedBy: [...(plan.blockedBy ?? []), message] };
}

/** The last moment to stop: an incident may have been opened, or someone may have said stop, since the change was written down. */
function begin(view: TuningView, state: TuningState, action: ActionRecord, now: number): TuningStep {
  if (action.kind === 'Rollback' || progressOf(view, action, now).type !== 'before')
    return { type: 'apply', state, action };
  const blockedBy = whyStopped(view, now);
  if (view.busyWith !== undefined) blockedBy.push(`OneActionInFlight: incident ${view.busyWith} is not over`);
  if (blockedBy.length === 0) return { type: 'apply', state, action };
  const nothingWasDone = withActions(state, state.actions?.slice(0, -1) ?? []);
  return { type: 'write', state: { ...nothingWasDone, plan: { ...state.plan, blockedBy } } };
}

function whyStopped(view: TuningView, now: number): string[] {
  const objections = lastObjections(occasionOf(view), new Date(now)).map(sentenceOf);
  return view.policy.spec.tuning.continuous
    ? objections
    : [...objections, 'SwitchedOff: continuous tuning was switched off'];
}

function onTheWay(view: TuningView, state: TuningState, action: ActionRecord, now: number): TuningStep {
  const progress = progressOf(view, action, now);
  switch (progress.type) {
    case 'next':
      return goOn(view, state, action, now);
    case 'before':
    case 'underway':
      return { type: 'wait' };
    case 'settled':
      return settled(state, action);
    case 'meanwhile':
      return failed(state, action, `${progress.sentence} It was left.`);
    case 'refused':
    case 'failed':
      return action.kind === 'Rollback'
        ? failed(state, action, progress.why)
        : takeBack(state, action, progress.why, now);
  }
}

/** With the next pods, unless somebody said stop: then those that have it go back. */
function goOn(view: TuningView, state: TuningState, action: ActionRecord, now: number): TuningStep {
  const stopped = action.kind === 'Rollback' ? [] : whyStopped(view, now);
  if (stopped.length === 0) return { type: 'apply', state, action };
  return takeBack(state, action, `a part of the pods was changed, then ${stopped.join('; ')}`, now);
}

function settled(state: TuningState, action: ActionRecord): TuningStep {
  const ended: ActionRecord = { ...action, result: 'Completed' };
  const isBack = action.kind === 'Rollback';
  const note = isBack
    ? `${action.knob} is ${describeSetting(action.after)} again on ${action.owner.kind} ${action.owner.name}.`
    : `${describeAction(action)} is in effect. ${state.plan.reason}`;
  const story: Story = { type: isBack ? 'Warning' : 'Normal', reason: isBack ? 'TuningTakenBack' : 'Tuned', note };
  return { type: 'write', state: withLast(state, ended), ended, story };
}

/** @param action as it shall be remembered, but for its result */
export function failed(state: TuningState, action: ActionRecord, message: string): TuningWrite {
  const ended: ActionRecord = { ...action, result: 'Failed', message };
  const note = `${describeAction(action)}: ${message}`;
  return {
    type: 'write',
    state: withLast(state, ended),
    ended,
    story: { type: 'Warning', reason: 'TuningFailed', note },
  };
}

function takeBack(state: TuningState, action: ActionRecord, why: string, now: number): TuningStep {
  const step = failed(state, action, why);
  const at = new Date(now).toISOString();
  const { before, after, underBytes: under } = action;
  const undoes = action.kind === 'Resize' ? 'Resize' : 'Live';
  const back: ActionRecord = {
    ...action,
    kind: 'Rollback',
    undoes,
    before: after,
    after: before,
    ...(under ? { underBytes: { before: under.after, after: under.before } } : {}),
    at,
    result: 'Pending',
  };
  return { ...step, state: withActions(step.state, [...(step.state.actions ?? []), back]) };
}

function stateOf({ workload, known, facts, policy }: TuningView, plan: Plan, now: number): TuningState {
  const { owner, container } = workload;
  const robots = facts.activeRobots === null ? {} : { activeRobots: facts.activeRobots };
  const state: TuningState = { owner, container, ...robots, plan, at: new Date(now).toISOString() };
  return withActions(state, remembered(known?.actions ?? [], policy.spec, now));
}

function withActions({ actions: _, ...state }: TuningState, actions: readonly ActionRecord[]): TuningState {
  return actions.length > 0 ? { ...state, actions: [...actions] } : state;
}

export function withLast(state: TuningState, action: ActionRecord): TuningState {
  return withActions(state, [...(state.actions?.slice(0, -1) ?? []), action]);
}

/** Of what stands against a change, once; a change that waits for its time alone is nothing to tell. */
function storyOf({ workload, policy, known }: TuningView, plan: Plan): Story | undefined {
  const held = heldBack(plan);
  if (!held || held.to === undefined) return undefined;
  const told = known && heldBack(known.plan);
  if (told && !isNews(told, held)) return undefined;
  const change = `${plan.knob} ${describeSetting(plan.from ?? null)} → ${describeSetting(held.to)} on ${workload.owner.kind} ${workload.owner.name}`;
  const isAdvice = policy.spec.actions.mode === 'Recommend' && plan.patch !== undefined;
  const note = `${change} is not made: ${held.blockedBy?.join('; ')}. ${plan.reason}`;
  return { type: 'Normal', reason: isAdvice ? 'TuningRecommended' : 'TuningBlocked', note };
}
