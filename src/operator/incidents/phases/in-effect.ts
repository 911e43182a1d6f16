/** A change, and what was to follow upon it, is in effect everywhere: what comes next. */
import type { ActionRecord } from '../../../api/index.ts';
import { onlyBuysTime } from '../../../remedy/index.ts';
import { finish } from '../finish.ts';
import { describeAction } from '../sentences.ts';
import type { IncidentView, Step } from '../view.ts';
import { replaceRecord, withStatus } from './step.ts';

export function inEffect(view: IncidentView, action: ActionRecord, now: number): Step {
  const done: ActionRecord = { ...action, result: 'Completed' };
  return onlyBuysTime(view.incident.status.cause ?? '') ? timeBought(view, done, now) : verifyFromNow(view, done, now);
}

/** It heals nothing, so there is nothing to verify, nor a reason to take it back: the incident is for people. */
function timeBought(view: IncidentView, action: ActionRecord, now: number): Step {
  const { cause, diagnosis } = view.incident.status;
  const { kind, before, owner } = action;
  const done =
    kind === 'Restart'
      ? `Pod ${before} of ${owner.kind} ${owner.name} was made anew, which`
      : `${describeAction(action)} is in effect and`;
  const message = `${done} buys time; ${cause} is left for people. ${diagnosis?.summary ?? ''}`;
  const actions = replaceRecord(view.incident.status.actions ?? [], action);
  return withStatus(finish(view, now, 'Escalated', message.trim()), { actions });
}

function verifyFromNow(view: IncidentView, action: ActionRecord, now: number): Step {
  const { verification } = view.incident.status;
  if (!verification) return finish(view, now, 'Escalated', 'The signals before the action are missing.');
  return {
    type: 'advance',
    status: {
      phase: 'Verifying',
      message: 'Waiting for fresh windows under the new setting.',
      actions: replaceRecord(view.incident.status.actions ?? [], action),
      verification: { before: verification.before, startedAt: new Date(now).toISOString() },
    },
    story: { type: 'Normal', reason: 'Applied', note: `${describeAction(action)} is in effect.` },
  };
}
