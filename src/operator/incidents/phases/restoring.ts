/** The way back, until the values before are in effect again. */
import type { ActionRecord } from '../../../api/index.ts';
import { nextToUndo, standing, withdraws } from '../../../remedy/index.ts';
import { finish } from '../finish.ts';
import { describeSetting } from '../sentences.ts';
import type { IncidentView, Step } from '../view.ts';
import type { Progress } from '../ways/index.ts';
import { planNext } from './following.ts';
import { policyGone } from './policy-gone.ts';
import { rollbackOf, storyOf } from './rollback.ts';
import { POLL_MS, replaceLast, wait, withStatus } from './step.ts';

export function rollingBack(view: IncidentView, action: ActionRecord, progress: Progress, now: number): Step {
  if (!view.policy && action.onDelete === 'Keep') return policyGone(view, now);
  if (progress.type === 'meanwhile') return leave(view, action, now, `${progress.sentence} It was left.`);
  switch (action.result) {
    case 'Pending':
      return { type: 'effect', effect: 'apply' };
    case 'Failed':
      return leave(view, action, now, action.message ?? 'The value before could not be restored.');
    case 'Completed':
      return planNext(view, now);
    case 'Applied':
      return onTheWayBack(view, action, progress, now);
  }
}

function onTheWayBack(view: IncidentView, action: ActionRecord, progress: Progress, now: number): Step {
  if (progress.type === 'failed' || progress.type === 'refused')
    return leave(view, action, now, `The value before was restored, but ${progress.why}.`);
  if (progress.type === 'next') return { type: 'effect', effect: 'apply' };
  if (progress.type !== 'settled')
    return wait(POLL_MS, progress.type === 'underway' ? progress.reason : 'the way back');
  return restored(view, { ...action, result: 'Completed' }, now);
}

function restored(view: IncidentView, action: ActionRecord, now: number): Step {
  const actions = replaceLast(view, action);
  // Only the trace of a way that was refused is gone: the incident goes on by the next one.
  if (withdraws(actions, action)) return { type: 'advance', status: { phase: 'Acting', actions } };
  const why = action.message ?? 'it did not come into effect everywhere.';
  const next = nextToUndo(actions);
  const back = next && rollbackOf(actions, next, now, why);
  // Both in one write: an operator that is killed here finds the next way back due, or the last one not yet noted as done.
  if (back) {
    const status = { phase: 'Acting' as const, actions: [...actions, back] };
    return { type: 'advance', status, story: storyOf(back, why) };
  }
  const values = actions
    .filter((each) => each.kind === 'Rollback' && !withdraws(actions, each))
    .map(({ knob, after }) => `${knob} is ${describeSetting(after)} again`);
  return withStatus(finish(view, now, 'RolledBack', `${[...new Set(values)].join(', ')}: ${why}`), { actions });
}

/** What made room for it must not go either. */
function leave(view: IncidentView, action: ActionRecord, now: number, message: string): Step {
  const others = standing(view.incident.status.actions ?? []).filter(({ knob }) => knob !== action.knob);
  const left = others.map(({ knob, after }) => ` ${knob} stays ${describeSetting(after)}.`);
  return finish(view, now, 'Escalated', [message, ...new Set(left)].join(''));
}
