/** From a cause to an action that stands in the status, or to the reason why there is none. */
import type { ActionRecord, Plan } from '../../../api/index.ts';
import { finish } from '../finish.ts';
import { planView } from '../judgement.ts';
import type { IncidentView, Step } from '../view.ts';
import { type Decision, type FoundWorkload, POLL_MS, wait, withStatus } from './step.ts';

/** A guardrail may hold a plan back for so long; after that the evidence is too old to act on. */
const BLOCKED_LIMIT_MS = 10 * 60_000;

export const diagnosed: Decision = (view, now) => {
  const { incident, policy, workload } = view;
  if (!policy) return finish(view, now, 'Escalated', 'The policy was deleted before a remedy was chosen.');
  if (workload.type !== 'found') return finish(view, now, 'Escalated', workload.message);

  const { diagnosis, verification } = incident.status;
  if (!diagnosis || !verification) return finish(view, now, 'Escalated', 'No cause could be named from the evidence.');
  const parts = { policy, workload, diagnosis, summary: verification.before, windows: view.before };
  const plan = planView(view, parts, now);
  if (plan.kind === 'None' || plan.to === undefined) {
    return withStatus(finish(view, now, 'Escalated', plan.reason), { plan });
  }
  if (plan.patch !== undefined) {
    return withStatus(finish(view, now, 'Observed', `${plan.reason} Recommended, not applied.`), { plan });
  }
  if (plan.blockedBy && plan.blockedBy.length > 0) return heldBack(view, plan, now);
  return act(view, workload, plan, now);
};

function heldBack(view: IncidentView, plan: Plan, now: number): Step {
  const { incident } = view;
  const blocked = plan.blockedBy?.join('; ') ?? '';
  if (now - Date.parse(incident.spec.trigger.detectedAt) > BLOCKED_LIMIT_MS) {
    return withStatus(finish(view, now, 'Escalated', `Not acted: ${blocked}.`), { plan });
  }
  // The numbers in a sentence change all the time; only another guardrail is news.
  if (guardrails(incident.status.plan) === guardrails(plan)) return wait(POLL_MS, blocked);
  return {
    type: 'advance',
    status: { plan, message: blocked },
    story: { type: 'Warning', reason: 'Blocked', note: blocked },
  };
}

function guardrails(plan: Plan | undefined): string {
  return plan?.blockedBy?.map((sentence) => sentence.split(':')[0]).join() ?? '';
}

/** Write-ahead: the record comes before the deed. */
export function act(view: IncidentView, { owner, container, gogc }: FoundWorkload, plan: Plan, now: number): Step {
  const action: ActionRecord = {
    kind: 'Rollout',
    owner,
    container,
    knob: 'GOGC',
    before: gogc,
    after: plan.to ?? null,
    at: new Date(now).toISOString(),
    result: 'Pending',
  };
  const actions = [...(view.incident.status.actions ?? []), action];
  return { type: 'advance', status: { phase: 'Acting', plan, actions, message: plan.reason } };
}
