/** Room was made, a memory limit raised, for the sake of another knob: that one is next, and both are judged together. */
import { type ActionRecord, quantityBytes } from '../../../api/index.ts';
import { summarise } from '../../../model/index.ts';
import { nextToUndo, standing, stretchBefore } from '../../../remedy/index.ts';
import { finish } from '../finish.ts';
import { approverOf, planView } from '../judgement.ts';
import { describeAction } from '../sentences.ts';
import type { IncidentView, Step } from '../view.ts';
import { inEffect } from './in-effect.ts';
import { act, diagnosed } from './planning.ts';
import { policyGone } from './policy-gone.ts';
import { beginRollback } from './rollback.ts';
import { type Decision, POLL_MS, wait } from './step.ts';

/** From the beginning of the resize: signals that pause and guardrails that pass may hold the next change back so long. */
const FOLLOW_LIMIT_MS = 5 * 60_000;

/** Of an incident that is acting and has nothing under way. */
export const planNext: Decision = (view, now) => {
  const actions = view.incident.status.actions ?? [];
  const last = standing(actions).at(-1);
  if (!last) return diagnosed(view, now);
  if (last.makesRoomFor) return follow(view, last, now);
  if (!view.policy) return policyGone(view, now);
  // A further step was refused, after a change that was not enough.
  const refused = actions.findLast(({ result }) => result === 'Failed')?.message;
  const why = [view.incident.status.verification?.reason, refused].filter(Boolean).join(' ');
  if (view.policy?.spec.actions.verify.rollback === false)
    return finish(view, now, 'Escalated', `${why} The policy says not to roll back.`);
  return goBack(view, now, why);
};

/** By fresh signals, under the limit that is in effect now. */
function follow(view: IncidentView, room: ActionRecord, now: number): Step {
  const { policy, workload, incident } = view;
  const { diagnosis } = incident.status;
  if (!policy) return policyGone(view, now);
  if (!diagnosis || workload.type !== 'found')
    return finish(view, now, 'Escalated', `The evidence is missing; ${describeAction(room)} was left in place.`);
  const isThere = workload.pods.some(({ metadata }) => metadata.uid === incident.spec.pod.uid);
  if (workload.pods.length > 0 && !isThere) return startedAnew(view, now);
  const summary = summarise(stretchBefore(view.before, policy.spec));
  const plan = planView(
    view,
    {
      ...{ policy, workload, diagnosis, summary, windows: view.before },
      memoryLimitBytes: quantityBytes(room.after ?? ''),
      approvedBy: approverOf(view, policy, room, now),
    },
    now,
  );
  if (plan.kind !== 'None' && !plan.blockedBy) {
    // What kept the room small keeps what follows short of its target too.
    const clampedBy = [...new Set([...(incident.status.plan?.clampedBy ?? []), ...(plan.clampedBy ?? [])])];
    return act(view, workload, { ...plan, clampedBy }, now);
  }
  const obstacle = plan.blockedBy?.join('; ') ?? plan.reason;
  // Nothing was seen yet of a container that was started anew, or what holds it back may pass; what people decided does not.
  const mayPass = summary.gogc === null || (plan.blockedBy !== undefined && plan.patch === undefined);
  if (mayPass && now - Math.max(Date.parse(room.at), view.watchedSinceMs) < FOLLOW_LIMIT_MS)
    return wait(POLL_MS, obstacle);
  // A limit that was raised for its own sake is of use alone.
  if (room.makesRoomFor !== 'GOGC') return inEffect(view, room, now);
  return goBack(view, now, `${room.makesRoomFor} cannot follow: ${obstacle}`);
}

/** With its pod the room is gone, and nothing tells any more what was to be healed. A breach of the new one is another incident. */
function startedAnew(view: IncidentView, now: number): Step {
  const due = nextToUndo(view.incident.status.actions ?? []);
  const why = `pod ${view.incident.spec.pod.name} was started anew before the changes were complete.`;
  return due ? beginRollback(view, due, now, why) : finish(view, now, 'Escalated', why);
}

/** Room alone is of no use, and counts as a way that was refused: the next one may do with what there was before. */
function goBack(view: IncidentView, now: number, why: string): Step {
  const due = nextToUndo(view.incident.status.actions ?? []);
  if (!due) return diagnosed(view, now);
  return beginRollback(view, due.makesRoomFor ? { ...due, result: 'Failed', message: why } : due, now, why);
}
