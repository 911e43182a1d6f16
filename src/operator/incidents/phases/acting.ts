/** From the record of an action to its effect, whichever the way. */
import type { ActionRecord, RobotGCPolicy } from '../../../api/index.ts';
import { lastObjections, nextToUndo, sentenceOf } from '../../../remedy/index.ts';
import { finish } from '../finish.ts';
import { approverOf, permissionOf } from '../judgement.ts';
import { describeAction } from '../sentences.ts';
import type { IncidentView, Step } from '../view.ts';
import { type Progress, wayOf } from '../ways/index.ts';
import type { FoundWorkload } from '../workload.ts';
import { planNext } from './following.ts';
import { inEffect } from './in-effect.ts';
import { persisting } from './persisting.ts';
import { policyGone } from './policy-gone.ts';
import { rollingBack } from './restoring.ts';
import { beginRollback } from './rollback.ts';
import { type Decision, POLL_MS, replaceLast, wait } from './step.ts';

export const acting: Decision = (view, now) => {
  const action = view.incident.status.actions?.at(-1);
  if (!action) return finish(view, now, 'Escalated', 'The record of the action is missing; nothing was changed.');
  const { workload } = view;
  if (workload.type !== 'found') return finish(view, now, 'Escalated', workload.message);
  // Nothing was changed by this way: the plan is made again without it. Or room was made for what comes next.
  if (action.persists && action.kind !== 'Rollback') return persisting(view, workload, action, now);
  const isDone = action.result === 'Failed' || action.result === 'Completed';
  if (action.kind !== 'Rollback' && isDone) return planNext(view, now);
  const way = wayOf(action);
  if (!way) return finish(view, now, 'Escalated', `This version knows no way ${action.kind}; nothing was changed.`);
  if (action.kind === 'Rollback') return rollingBack(view, action, way.progress(view, workload, action, now), now);
  const progress = way.progress(view, workload, action, now);
  if (progress.type === 'meanwhile') return finish(view, now, 'Escalated', progress.sentence);
  const { policy } = view;
  if (!policy) return policyGone(progress.type === 'before' ? withoutLast(view) : view, now);
  const governed: Governed = { ...view, policy, workload };
  return action.result === 'Pending'
    ? begin(governed, action, progress, now)
    : onTheWay(governed, action, progress, now);
};

/** With a policy that asks for the change, and the workload that it is made to. */
interface Governed extends IncidentView {
  readonly policy: RobotGCPolicy;
  readonly workload: FoundWorkload;
}

/** The last moment to stop. An action that was applied already, before a crash, is applied again: that changes nothing. */
function begin(view: Governed, action: ActionRecord, progress: Progress, now: number): Step {
  const { workload } = view;
  if (progress.type !== 'before') return { type: 'effect', effect: 'apply' };
  const approvedBy = approverOf(view, view.policy, action, now);
  const objections = lastObjections(permissionOf(view, view.policy, workload, approvedBy), new Date(now));
  if (objections.length > 0) {
    const message = objections.map(sentenceOf).join('; ');
    // One pod runs with the new setting, a first step was taken or room was made: all for the sake of what may not follow.
    const untouched = withoutLast(view);
    const due = nextToUndo(untouched.incident.status.actions ?? []);
    if (due && view.policy.spec.actions.verify.rollback) return beginRollback(untouched, due, now, message);
    if (due) return finish(untouched, now, 'Escalated', `${message}. The policy says not to roll back.`);
    return finish(view, now, 'Observed', `Nothing was changed. ${message}.`);
  }
  return { type: 'effect', effect: 'apply' };
}

/** What was written down and not begun is as if it had not been. */
function withoutLast(view: IncidentView): IncidentView {
  const { status } = view.incident;
  return { ...view, incident: { ...view.incident, status: { ...status, actions: status.actions?.slice(0, -1) } } };
}

function onTheWay(view: Governed, action: ActionRecord, progress: Progress, now: number): Step {
  switch (progress.type) {
    case 'before':
      return wait(POLL_MS, 'the change is not seen yet');
    case 'next':
      return goOn(view, action, now);
    case 'underway':
      return wait(POLL_MS, progress.reason);
    case 'refused':
      return beginRollback(view, { ...action, result: 'Failed', message: progress.why }, now, progress.why);
    case 'failed':
      return beginRollback(view, action, now, progress.why);
    case 'meanwhile':
      return finish(view, now, 'Escalated', progress.sentence);
    case 'settled':
      return action.makesRoomFor ? roomMade(view, action) : inEffect(view, action, now);
  }
}

function roomMade(view: IncidentView, action: ActionRecord): Step {
  const message = `${describeAction(action)} is in effect, ${action.makesRoomFor} follows.`;
  return {
    type: 'advance',
    status: { phase: 'Acting', message, actions: replaceLast(view, { ...action, result: 'Completed' }) },
    story: { type: 'Normal', reason: 'Applied', note: message },
  };
}

/** Between two parts people may have switched acting off: then what was changed goes back. */
function goOn(view: Governed, action: ActionRecord, now: number): Step {
  const { policy, workload } = view;
  const approvedBy = approverOf(view, policy, action, now);
  const objections = lastObjections(permissionOf(view, policy, workload, approvedBy), new Date(now));
  if (objections.length === 0) return { type: 'effect', effect: 'apply' };
  const why = objections.map(sentenceOf).join('; ');
  return beginRollback(view, action, now, `a part of the pods was changed, then ${why}`);
}
