/** The way back: how it begins. How it goes on is in `restoring.ts`. */
import type { ActionRecord } from '../../../api/index.ts';
import { firstStepOf } from '../../../remedy/index.ts';
import { finish } from '../finish.ts';
import { describeSetting } from '../sentences.ts';
import type { IncidentView, Step, Story } from '../view.ts';
import { replaceRecord } from './step.ts';

/**
 * Back to the value before the first step of this incident by the same way, whichever step failed. Other knobs that were changed follow.
 * @param action as it shall stand in the record
 */
export function beginRollback(view: IncidentView, action: ActionRecord, now: number, why: string): Step {
  const actions = replaceRecord(view.incident.status.actions ?? [], action);
  const back = rollbackOf(actions, action, now, why);
  if (!back) return finish(view, now, 'Escalated', 'The record does not say by which way to go back.');
  return {
    type: 'advance',
    status: { phase: 'Acting', message: `Rolling back: ${why}`, actions: [...actions, back] },
    story: storyOf(back, why),
  };
}

export function storyOf({ knob, after }: ActionRecord, why: string): Story {
  return { type: 'Warning', reason: 'RollingBack', note: `Restoring ${knob} ${describeSetting(after)}: ${why}` };
}

export function rollbackOf(
  actions: readonly ActionRecord[],
  action: ActionRecord,
  now: number,
  why: string,
): ActionRecord | undefined {
  const undoes = action.kind === 'Rollback' ? action.undoes : action.kind;
  if (!undoes) return undefined;
  const { previousManagers: _managers, canary: _canary, makesRoomFor: _room, persists: _, ...rest } = action;
  const { underBytes: under, ...same } = rest;
  const first = firstStepOf(actions, action);
  return {
    ...same,
    kind: 'Rollback',
    undoes,
    before: action.after,
    after: first.before,
    ...(under ? { underBytes: { before: under.after, after: first.underBytes?.before } } : {}),
    at: new Date(now).toISOString(),
    result: 'Pending',
    message: why,
  };
}
