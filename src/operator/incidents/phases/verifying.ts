/** From an action in effect to a verdict, and what follows from it. */
import type { ActionRecord, RobotGCPolicy, Verification } from '../../../api/index.ts';
import type { SignalWindow } from '../../../model/index.ts';
import { standing } from '../../../remedy/index.ts';
import { finish } from '../finish.ts';
import { judgeView, planView, type Verdict, verifyStretch } from '../judgement.ts';
import { describeChange } from '../sentences.ts';
import type { IncidentView, Step } from '../view.ts';
import { toTheTemplate } from './persisting.ts';
import { act } from './planning.ts';
import { policyGone } from './policy-gone.ts';
import { beginRollback } from './rollback.ts';
import { type Decision, POLL_MS, wait, withStatus } from './step.ts';

/** Fresh windows that tell may be late (a new pod, a new leader, a busy node) by so much before the result is inconclusive. */
const VERIFY_GRACE_MS = 2 * 60_000;

export const verifying: Decision = (view, now) => {
  const { policy } = view;
  if (!policy) return policyGone(view, now);
  const stretch = verifyStretch(view, policy);
  if (!stretch) return finish(view, now, 'Escalated', 'The record of when verification began is missing.');
  if (now < stretch.untilMs)
    return wait(Math.min(stretch.untilMs - now + 100, 5 * POLL_MS), 'collecting fresh windows');
  return { type: 'effect', effect: 'judge' };
};

/** What follows from the verdict; called with the evidence at hand, see the controller. */
export function judged(view: IncidentView, policy: RobotGCPolicy, before: readonly SignalWindow[], now: number): Step {
  const { verification, actions } = view.incident.status;
  const action = standing(actions ?? []).at(-1);
  const stretch = verifyStretch(view, policy);
  if (!action || !verification || !stretch)
    return finish(view, now, 'Escalated', 'The record of the action is missing.');

  const verdict = judgeView(view, policy, before);
  if (verdict.laterMayTell && now < stretch.untilMs + VERIFY_GRACE_MS) return wait(2 * POLL_MS, verdict.reason);
  const result: Verification = {
    ...verification,
    after: verdict.after,
    verdict: verdict.verdict,
    reason: verdict.reason,
    endedAt: new Date(now).toISOString(),
  };
  return withStatus(afterVerdict(view, policy, verdict, action, now), { verification: result });
}

function afterVerdict(
  view: IncidentView,
  policy: RobotGCPolicy,
  verdict: Verdict,
  action: ActionRecord,
  now: number,
): Step {
  const before = view.incident.status.verification?.before ?? verdict.after;
  if (verdict.verdict === 'Better' && action.canary) return toTheOthers(view, action, verdict, now);
  if (verdict.verdict === 'Better') {
    const message = `${describeChange(before, verdict.after)}. ${verdict.reason}`;
    return toTheTemplate(view, message, now) ?? finish(view, now, 'Resolved', message);
  }
  const further = verdict.progress ? stepFurther(view, policy, verdict, action, now) : undefined;
  if (further) return further;
  if (!policy.spec.actions.verify.rollback) {
    return finish(view, now, 'Escalated', `${verdict.reason} The policy says not to roll back.`);
  }
  return beginRollback(view, action, now, verdict.reason);
}

/**
 * It went the right way, and only step or memory kept it short of its target; or it was more memory, of which nobody knows beforehand how much
 * is enough: the next step, while the budget lasts.
 */
function stepFurther(
  view: IncidentView,
  policy: RobotGCPolicy,
  verdict: Verdict,
  action: ActionRecord,
  now: number,
): Step | undefined {
  const { plan: last, diagnosis } = view.incident.status;
  const limited = last?.clampedBy?.some((clamp) => clamp === 'maxStep' || clamp === 'memory') ?? false;
  const gaveMemory = standing(view.incident.status.actions ?? []).some(({ knob }) => knob === 'MemoryLimit');
  if (!(limited || gaveMemory) || !diagnosis || view.workload.type !== 'found') return undefined;
  const parts = { policy, workload: view.workload, diagnosis, summary: verdict.after, windows: view.after };
  const plan = planView(view, parts, now);
  if (plan.kind === 'None') return undefined;
  if (plan.blockedBy) return plan.patch === undefined ? leave(view, verdict, plan.blockedBy, now) : undefined;
  // By the same way, or with more room for it: each knob has one way back.
  return plan.kind === action.kind || plan.makesRoomFor ? act(view, view.workload, plan, now) : undefined;
}

/** Only a guardrail that passes stands against the next step: what helped stays, as without it the signal would be the higher; people are told. */
function leave(view: IncidentView, { reason }: Verdict, blockedBy: readonly string[], now: number): Step {
  const message = `${reason} What was changed helped and stays; the next step is held back: ${blockedBy.join('; ')}.`;
  return finish(view, now, 'Escalated', message);
}

/** One pod is better: the others follow, and all are verified again. */
function toTheOthers(
  view: IncidentView,
  { canary: _, ...canary }: ActionRecord,
  { reason }: Verdict,
  now: number,
): Step {
  const rest: ActionRecord = { ...canary, at: new Date(now).toISOString(), result: 'Pending' };
  const message = `One pod is better, the others follow: ${reason}`;
  const { actions = [], verification } = view.incident.status;
  return {
    type: 'advance',
    status: {
      phase: 'Acting',
      message,
      actions: [...actions, rest],
      ...(verification ? { verification: { before: verification.before } } : {}),
    },
    story: { type: 'Normal', reason: 'CanaryPassed', note: message },
  };
}
