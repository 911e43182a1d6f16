/** From a cause to an action that stands in the status, or to the reason why there is none. */
import type { ActionRecord, Plan, RobotGCPolicy } from '../../../api/index.ts';
import { offerUntil } from '../../../remedy/index.ts';
import { underBytesOf } from '../../workloads/desired.ts';
import { finish } from '../finish.ts';
import { planView } from '../judgement.ts';
import type { IncidentView, Step } from '../view.ts';
import type { FoundWorkload } from '../workload.ts';
import { type Decision, POLL_MS, wait, withStatus } from './step.ts';

/** A guardrail may hold a plan back for so long; after that the evidence is too old to act on. */
export const BLOCKED_LIMIT_MS = 10 * 60_000;

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
  if (plan.patch !== undefined) return leaveToPeople(view, policy, plan, now);
  if (plan.blockedBy && plan.blockedBy.length > 0) return heldBack(view, plan, now);
  return act(view, workload, plan, now);
};

/** In Recommend they may approve it, until the offer ends; otherwise someone said that nothing is to be changed. */
function leaveToPeople({ incident, ...view }: IncidentView, { spec }: RobotGCPolicy, plan: Plan, now: number): Step {
  const { namespace, name } = incident.metadata;
  if (spec.actions.mode !== 'Recommend') {
    const why = plan.blockedBy?.join('; ') ?? '';
    return withStatus(finish({ incident, ...view }, now, 'Observed', `${plan.reason} Not applied: ${why}.`), { plan });
  }
  const until = offerUntil(spec, now);
  const how = `kubectl robotgc approve -n ${namespace} ${name}`;
  const message = `${plan.reason} Recommended, not applied; until ${until}: ${how}`;
  return withStatus(finish({ incident, ...view }, now, 'Observed', message), {
    plan,
    approval: { state: 'Offered', until },
  });
}

function heldBack(view: IncidentView, plan: Plan, now: number): Step {
  const { incident } = view;
  const blocked = plan.blockedBy?.join('; ') ?? '';
  if (now - Date.parse(incident.spec.trigger.detectedAt) > BLOCKED_LIMIT_MS) {
    return withStatus(finish(view, now, 'Escalated', `Not acted: ${blocked}.`), { plan });
  }
  // The numbers in a sentence change all the time; only another guardrail is news.
  if (guardrailsOf(incident.status.plan?.blockedBy) === guardrailsOf(plan.blockedBy)) return wait(POLL_MS, blocked);
  return {
    type: 'advance',
    status: { plan, message: blocked },
    story: { type: 'Warning', reason: 'Blocked', note: blocked },
  };
}

export function guardrailsOf(blockedBy: readonly string[] | undefined): string {
  return blockedBy?.map((sentence) => sentence.split(':')[0]).join() ?? '';
}

/** Write-ahead: the record comes before the deed. Only for a plan that changes something. */
export function act(view: IncidentView, workload: FoundWorkload, plan: Plan, now: number): Step {
  const { owner, container } = workload;
  const { kind, knob, from = null, to = null, makesRoomFor, underBytes } = plan;
  if (kind === 'None' || !knob) return finish(view, now, 'Escalated', plan.reason);
  const action: ActionRecord = {
    kind,
    owner,
    container,
    knob,
    before: from,
    after: to,
    ...(makesRoomFor ? { makesRoomFor } : {}),
    ...underBytesOf(workload.desired, { container, knob }, underBytes),
    ...(onePodFirst(view, workload, kind) ? { canary: true } : {}),
    ...(kind === 'Live' && view.policy?.spec.actions.onDelete === 'Keep' ? { onDelete: 'Keep' as const } : {}),
    at: new Date(now).toISOString(),
    result: 'Pending',
  };
  const actions = [...(view.incident.status.actions ?? []), action];
  return { type: 'advance', status: { phase: 'Acting', plan, actions, message: plan.reason } };
}

/** Decision 0020: where the kind lets some pods stay as they are, and there are others than that one. */
function onePodFirst({ policy }: IncidentView, { object }: FoundWorkload, kind: Plan['kind']): boolean {
  const isWanted = policy?.spec.actions.canary ?? false;
  return isWanted && kind === 'Rollout' && object.kind === 'StatefulSet' && object.spec.replicas > 1;
}
