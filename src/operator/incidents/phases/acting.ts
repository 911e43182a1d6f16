/** From the record of an action to a finished rollout. */
import type { ActionRecord } from '../../../api/index.ts';
import { finish } from '../finish.ts';
import { describeSetting } from '../sentences.ts';
import type { IncidentView, Step } from '../view.ts';
import { beginRollback, ROLLOUT_LIMIT_MS, rollingBack } from './rollback.ts';
import { type Decision, type FoundWorkload, POLL_MS, replaceLast, wait } from './step.ts';

export const acting: Decision = (view, now) => {
  const action = view.incident.status.actions?.at(-1);
  if (!action) return finish(view, now, 'Escalated', 'The record of the action is missing; nothing was changed.');
  if (action.result === 'Failed') return finish(view, now, 'Escalated', action.message ?? 'The action failed.');
  if (action.kind === 'Rollback') return rollingBack(view, action, now);
  const { workload } = view;
  if (workload.type !== 'found') return finish(view, now, 'Escalated', workload.message);
  return action.result === 'Pending' ? begin(view, workload, action, now) : rollingOut(view, workload, action, now);
};

/** The last moment to stop. An action that was applied already, before a crash, is applied again: that changes nothing. */
function begin(view: IncidentView, workload: FoundWorkload, action: ActionRecord, now: number): Step {
  if (workload.gogc === action.after) return { type: 'effect', effect: 'apply' };
  if (workload.gogc !== action.before) return meanwhile(view, workload, now);
  if (view.observeOnly || workload.paused || view.policy?.spec.actions.mode !== 'Auto') {
    return finish(view, now, 'Observed', 'Acting was switched off before anything was changed.');
  }
  return { type: 'effect', effect: 'apply' };
}

function rollingOut(view: IncidentView, workload: FoundWorkload, action: ActionRecord, now: number): Step {
  if (workload.gogc !== action.after) return meanwhile(view, workload, now);
  if (workload.rollout === 'failed' || now - Date.parse(action.at) > ROLLOUT_LIMIT_MS) {
    return beginRollback(view, action, now, 'the rollout did not complete');
  }
  if (workload.rollout === 'progressing') return wait(POLL_MS, 'the rollout is in progress');
  const { verification } = view.incident.status;
  if (!verification) return finish(view, now, 'Escalated', 'The signals before the action are missing.');
  const { before, after, owner } = action;
  return {
    type: 'advance',
    status: {
      phase: 'Verifying',
      message: 'Waiting for fresh windows of the new pods.',
      actions: replaceLast(view, { ...action, result: 'Completed' }),
      verification: { before: verification.before, startedAt: new Date(now).toISOString() },
    },
    story: {
      type: 'Normal',
      reason: 'Applied',
      note: `GOGC ${describeSetting(before)} → ${describeSetting(after)} is rolled out on ${owner.kind} ${owner.name}.`,
    },
  };
}

function meanwhile(view: IncidentView, { gogc }: FoundWorkload, now: number): Step {
  return finish(view, now, 'Escalated', `Someone set GOGC to ${describeSetting(gogc)} meanwhile.`);
}
