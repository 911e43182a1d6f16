/** From a finished rollout to a verdict, and what follows from it. */
import type { ActionRecord, RobotGCPolicy, Verification } from '../../../api/index.ts';
import type { SignalWindow } from '../../../model/index.ts';
import { finish } from '../finish.ts';
import { judgeView, planView, type Verdict, verifyStretch } from '../judgement.ts';
import { describeChange } from '../sentences.ts';
import type { IncidentView, Step } from '../view.ts';
import { act } from './planning.ts';
import { beginRollback } from './rollback.ts';
import { type Decision, POLL_MS, wait, withStatus } from './step.ts';

/** Fresh windows that can be compared may be late (a new pod, a new leader, a busy node) by so much before the result is inconclusive. */
const VERIFY_GRACE_MS = 2 * 60_000;

export const verifying: Decision = (view, now) => {
  const { policy } = view;
  const stretch = policy && verifyStretch(view, policy);
  if (!stretch) return finish(view, now, 'Escalated', 'The policy is gone; the change was left in place, unverified.');
  if (now < stretch.untilMs)
    return wait(Math.min(stretch.untilMs - now + 100, 5 * POLL_MS), 'collecting fresh windows');
  return { type: 'effect', effect: 'judge' };
};

/** What follows from the verdict; called with the evidence at hand, see the controller. */
export function judged(view: IncidentView, policy: RobotGCPolicy, before: readonly SignalWindow[], now: number): Step {
  const { verification, actions } = view.incident.status;
  const action = actions?.at(-1);
  const stretch = verifyStretch(view, policy);
  if (!action || !verification || !stretch)
    return finish(view, now, 'Escalated', 'The record of the action is missing.');

  const verdict = judgeView(view, policy, before);
  if (
    verdict.verdict === 'Inconclusive' &&
    now < stretch.untilMs + VERIFY_GRACE_MS &&
    verdict.compared < before.length
  ) {
    return wait(2 * POLL_MS, verdict.reason);
  }
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
  if (verdict.verdict === 'Better') {
    return finish(view, now, 'Resolved', `${describeChange(before, verdict.after)}. ${verdict.reason}`);
  }
  const further = verdict.progress ? stepFurther(view, policy, verdict, now) : undefined;
  if (further) return further;
  if (!policy.spec.actions.verify.rollback) {
    return finish(view, now, 'Escalated', `${verdict.reason} The policy says not to roll back.`);
  }
  return beginRollback(view, action, now, verdict.reason);
}

/** It went the right way, and only the step limit kept it short of its target: the next step, while the budget lasts. */
function stepFurther(view: IncidentView, policy: RobotGCPolicy, verdict: Verdict, now: number): Step | undefined {
  const { plan: last, diagnosis, actions } = view.incident.status;
  const steps = actions?.filter(({ kind }) => kind === 'Rollout').length ?? 0;
  const limited = last?.clampedBy?.includes('maxStep') ?? false;
  if (!limited || !diagnosis || steps >= policy.spec.actions.budget.actions || view.workload.type !== 'found')
    return undefined;
  const parts = { policy, workload: view.workload, diagnosis, summary: verdict.after, windows: view.after };
  const plan = planView(view, parts, now);
  return plan.kind === 'Rollout' && !plan.blockedBy && plan.to !== undefined
    ? act(view, view.workload, plan, now)
    : undefined;
}
