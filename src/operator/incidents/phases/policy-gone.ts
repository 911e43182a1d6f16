/** The policy was deleted before its change was judged: nobody asks for the change any more, and nobody has seen it help, so it goes back. */
import { nextToUndo } from '../../../remedy/index.ts';
import { finish } from '../finish.ts';
import { describeSetting } from '../sentences.ts';
import type { IncidentView, Step } from '../view.ts';
import { beginRollback } from './rollback.ts';

export function policyGone(view: IncidentView, now: number): Step {
  const due = nextToUndo(view.incident.status.actions ?? []);
  if (!due) return finish(view, now, 'Observed', 'The policy was deleted before anything was changed.');
  // The agents leave it, as the policy said: a way back would be told, and not happen.
  if (due.onDelete === 'Keep') {
    const kept = `${due.knob} stays ${describeSetting(due.after)}, unverified`;
    return finish(view, now, 'Escalated', `The policy was deleted; ${kept}, as it said (onDelete: Keep).`);
  }
  // What was written down, and perhaps done, is under way for whoever reads the record.
  const change = due.result === 'Pending' ? { ...due, result: 'Applied' as const } : due;
  return beginRollback(view, change, now, 'the policy was deleted before the change was verified.');
}
