/**
 * A memory limit that was raised in place and verified goes into the owner's template where the policy says `persist`. What is verified stays
 * verified: where the template cannot be written, the incident is resolved all the same. Where the rollout fails, everything goes back, since
 * new pods have lost what was done in place. See docs/decisions/0026-persist.md.
 */
import { type ActionRecord, quantityBytes } from '../../../api/index.ts';
import { standing } from '../../../remedy/index.ts';
import { finish } from '../finish.ts';
import { persistView } from '../judgement.ts';
import { describeAction } from '../sentences.ts';
import type { IncidentView, Step } from '../view.ts';
import { wayOf } from '../ways/index.ts';
import type { FoundWorkload } from '../workload.ts';
import { BLOCKED_LIMIT_MS } from './planning.ts';
import { beginRollback } from './rollback.ts';
import { POLL_MS, replaceLast, wait, withStatus } from './step.ts';

/** From the verification. Undefined where nothing is to be written. @param verified what it found, in a sentence */
export function toTheTemplate(view: IncidentView, verified: string, now: number): Step | undefined {
  const { incident, policy, workload } = view;
  const actions = incident.status.actions ?? [];
  const resize = standing(actions).findLast(({ kind }) => kind === 'Resize');
  if (!policy?.spec.actions.persist || !resize || workload.type !== 'found') return undefined;
  const { setting } = workload.settings.MemoryLimit;
  if (quantityBytes(setting ?? '') === quantityBytes(resize.after ?? '')) return undefined;
  const { owner, container, knob, after } = resize;
  const action: ActionRecord = {
    ...{ kind: 'Rollout', owner, container, knob, before: setting, after, persists: true },
    at: new Date(now).toISOString(),
    result: 'Pending',
  };
  return { type: 'advance', status: { phase: 'Acting', message: verified, actions: [...actions, action] } };
}

export function persisting(view: IncidentView, workload: FoundWorkload, action: ActionRecord, now: number): Step {
  if (action.result === 'Failed') return leave(view, action, now, action.message ?? '');
  if (action.result === 'Completed') return kept(view, action, now);
  const progress = wayOf(action)?.progress(view, workload, action, now) ?? { type: 'before' };
  if (progress.type === 'meanwhile') return leave(view, action, now, progress.sentence);
  if (action.result === 'Pending') {
    return progress.type === 'before' ? begin(view, workload, action, now) : { type: 'effect', effect: 'apply' };
  }
  // Nothing is rolled: the template has it, and each pod that somebody deletes comes back with it.
  if (progress.type === 'settled' || workload.object.spec.strategyType === 'OnDelete') return kept(view, action, now);
  if (progress.type === 'failed' || progress.type === 'refused') return beginRollback(view, action, now, progress.why);
  return wait(POLL_MS, progress.type === 'underway' ? progress.reason : 'the template is not seen yet');
}

function begin(view: IncidentView, workload: FoundWorkload, action: ActionRecord, now: number): Step {
  const { policy } = view;
  if (!policy) return leave(view, action, now, 'The policy was deleted.');
  const plan = persistView(view, { policy, workload }, action, now);
  if (plan.kind === 'None') return leave(view, action, now, plan.reason);
  const blocked = plan.blockedBy?.join('; ');
  if (blocked === undefined) return { type: 'effect', effect: 'apply' };
  const mayPass = plan.patch === undefined && now - Date.parse(action.at) < BLOCKED_LIMIT_MS;
  return mayPass ? wait(POLL_MS, blocked) : leave(view, action, now, `${blocked}.`);
}

function kept(view: IncidentView, action: ActionRecord, now: number): Step {
  const message = `${verifiedOf(view)} ${describeAction(action)} stands in its template.`;
  const actions = replaceLast(view, { ...action, result: 'Completed' });
  return withStatus(finish(view, now, 'Resolved', message.trim()), { actions });
}

/** Healed, and only for the pods there are. */
function leave(view: IncidentView, action: ActionRecord, now: number, why: string): Step {
  const message = `${verifiedOf(view)} ${describeAction(action)} is not in its template, later pods have the old one: ${why}`;
  const actions = replaceLast(view, { ...action, result: 'Failed', message: why });
  return withStatus(finish(view, now, 'Resolved', message.trim()), { actions });
}

function verifiedOf({ incident }: IncidentView): string {
  return incident.status.verification?.reason ?? '';
}
