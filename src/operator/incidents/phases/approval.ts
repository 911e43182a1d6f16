/** A recommendation that people take up: an incident that ended in Observed goes on, when what they approved is still what is right. */
import {
  type Approval,
  type ApprovalStatus,
  approvalOf,
  type Diagnosis,
  type RobotGCPolicy,
} from '../../../api/index.ts';
import { diagnose } from '../../../diagnosis/index.ts';
import { deriveThresholds, summarise } from '../../../model/index.ts';
import { onlyBuysTime, stretchBefore, whyNotApproved, whyNotStanding } from '../../../remedy/index.ts';
import { planView } from '../judgement.ts';
import type { IncidentView, Step } from '../view.ts';
import type { FoundWorkload } from '../workload.ts';
import { act, guardrailsOf } from './planning.ts';
import { type Decision, POLL_MS, wait, withStatus } from './step.ts';

export const observed: Decision = (view, now) => {
  const { metadata, status } = view.incident;
  const approval = approvalOf(metadata.annotations);
  const offer = status.approval;
  if (!approval || !offer || isAnswered(approval, offer)) return { type: 'done' };
  const { policy, workload } = view;
  if (!policy) return refuse(approval, offer, 'The policy was deleted.');
  if (workload.type !== 'found') return refuse(approval, offer, `Of the workload: ${workload.message}.`);
  const lapsed = whyNotStanding(approval, offer, policy.spec, now);
  if (lapsed) return refuse(approval, offer, [lapsed, heldBackBy(offer)].join(''));
  return planAgain(view, { policy, workload, approval, offer }, now);
};

interface Request {
  readonly policy: RobotGCPolicy;
  readonly workload: FoundWorkload;
  readonly approval: Approval;
  readonly offer: ApprovalStatus;
}

/** From fresh signals: what was right when it was recommended may be wrong by now. */
function planAgain(view: IncidentView, { policy, workload, approval, offer }: Request, now: number): Step {
  const windows = stretchBefore(view.before, policy.spec);
  const diagnosis = diagnosisAnew(view, policy);
  if (!diagnosis) return refuse(approval, offer, 'No cause can be named from fresh signals.');
  const parts = { policy, workload, diagnosis, summary: summarise(windows), windows: view.before };
  const plan = planView(view, { ...parts, approvedBy: approval.by }, now);
  const differs = whyNotApproved(approval, plan);
  if (differs) return refuse(approval, offer, differs);
  if (plan.blockedBy && plan.blockedBy.length > 0) return holdBack(view, approval, offer, plan.blockedBy);
  const { by, at } = approval;
  const accepted: ApprovalStatus = { state: 'Accepted', until: offer.until, by, at };
  const step = withStatus(act(view, workload, plan, now), { approval: accepted });
  if (step.type !== 'advance') return step;
  return { ...step, story: { type: 'Normal', reason: 'Approved', note: `${by} approved at ${at}: ${plan.reason}` } };
}

/** What hours showed, as they stand in the evidence, a few minutes do not refute. */
function diagnosisAnew({ incident, before: windows }: IncidentView, { spec }: RobotGCPolicy): Diagnosis | undefined {
  const known = incident.status.diagnosis;
  if (known && onlyBuysTime(known.cause)) return known;
  const { signal: trigger } = incident.spec.trigger;
  return diagnose({ windows, spec, thresholds: deriveThresholds(spec), trigger })[0];
}

/** While the approval stands: a guardrail that passes lets it through. */
function holdBack({ incident }: IncidentView, { by, at }: Approval, offer: ApprovalStatus, blockedBy: string[]): Step {
  const reason = blockedBy.join('; ');
  const isNews =
    offer.state !== 'HeldBack' ||
    offer.at !== at ||
    guardrailsOf(offer.reason?.split('; ')) !== guardrailsOf(blockedBy);
  if (!isNews) return wait(POLL_MS, reason);
  return {
    type: 'advance',
    status: {
      approval: { state: 'HeldBack', until: offer.until, by, at, reason },
      message: `Approved by ${by}, held back: ${reason}.`,
    },
    story: {
      type: 'Warning',
      reason: 'Blocked',
      note: `Incident ${incident.metadata.name}, approved by ${by}: ${reason}`,
    },
  };
}

function refuse({ by, at }: Approval, { until }: ApprovalStatus, reason: string): Step {
  return {
    type: 'advance',
    status: {
      approval: { state: 'Refused', until, by, at, reason },
      message: `Not applied, though ${by} approved it: ${reason}`,
    },
    story: { type: 'Warning', reason: 'ApprovalRefused', note: `Not applied, though ${by} approved it: ${reason}` },
  };
}

/** One approval, one answer; another one is told by its time. */
function isAnswered({ at }: Approval, { state, at: answered }: ApprovalStatus): boolean {
  return answered === at && (state === 'Accepted' || state === 'Refused');
}

function heldBackBy({ state, reason }: ApprovalStatus): string {
  return state === 'HeldBack' ? ` It was held back: ${reason}.` : '';
}
