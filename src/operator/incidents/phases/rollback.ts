/** The way back. */
import type { ActionRecord } from '../../../api/index.ts';
import { finish } from '../finish.ts';
import { describeSetting } from '../sentences.ts';
import type { IncidentView, Step } from '../view.ts';
import { POLL_MS, replaceLast, wait, withStatus } from './step.ts';

/** How long a rollout may take before it counts as failed; Kubernetes' own default. */
export const ROLLOUT_LIMIT_MS = 10 * 60_000;

/** Back to the value before the first step of this incident, whichever step failed. */
export function beginRollback(view: IncidentView, action: ActionRecord, now: number, why: string): Step {
  const actions = view.incident.status.actions ?? [];
  const original = actions.find(({ kind }) => kind === 'Rollout') ?? action;
  const back: ActionRecord = {
    ...action,
    kind: 'Rollback',
    before: action.after,
    after: original.before,
    at: new Date(now).toISOString(),
    result: 'Pending',
  };
  return {
    type: 'advance',
    status: { phase: 'Acting', message: `Rolling back: ${why}`, actions: [...actions, back] },
    story: { type: 'Warning', reason: 'RollingBack', note: `Restoring GOGC ${describeSetting(back.after)}: ${why}` },
  };
}

export function rollingBack(view: IncidentView, action: ActionRecord, now: number): Step {
  const { workload } = view;
  if (workload.type !== 'found') return finish(view, now, 'Escalated', workload.message);
  if (workload.gogc !== action.before && workload.gogc !== action.after) {
    return finish(
      view,
      now,
      'Escalated',
      `Someone set GOGC to ${describeSetting(workload.gogc)} meanwhile; it was left.`,
    );
  }
  if (action.result === 'Pending') return { type: 'effect', effect: 'apply' };
  if (workload.rollout === 'settled') {
    const why = view.incident.status.verification?.reason ?? 'the rollout did not complete';
    const step = finish(view, now, 'RolledBack', `GOGC is ${describeSetting(action.after)} again: ${why}`);
    return withStatus(step, { actions: replaceLast(view, { ...action, result: 'Completed' }) });
  }
  if (now - Date.parse(action.at) > ROLLOUT_LIMIT_MS) {
    return finish(view, now, 'Escalated', 'The value before was restored, but its rollout did not complete.');
  }
  return wait(POLL_MS, 'the rollback is rolling out');
}
