/**
 * An incident's life, one small decision per phase: `(view, now) → step`. Pure; reads top to bottom like the life itself.
 * Write-ahead: an action stands in the status as Pending, with the value before it, before anything is touched,
 * so that an operator killed at any point finds out from the API alone what it had begun.
 */
import {
  type ActionRecord,
  durationMs,
  type IncidentStatus,
  type Phase,
  type Plan,
  type RobotGCPolicy,
  type Verification,
} from '../../api/index.ts';
import type { SignalWindow } from '../../model/index.ts';
import { finish } from './finish.ts';
import { judgeView, planView, type Verdict, verifyStretch } from './judgement.ts';
import { describeChange, describeSetting, describeTrigger } from './sentences.ts';
import type { IncidentView, Step } from './view.ts';
import type { WorkloadView } from './workload.ts';

/** How long evidence may take beyond the capture itself before the incident is handed to people. */
const EVIDENCE_GRACE_MS = 3 * 60_000;
/** How long a rollout may take before it counts as failed; Kubernetes' own default. */
const ROLLOUT_LIMIT_MS = 10 * 60_000;
/** A guardrail may hold a plan back for so long; after that the evidence is too old to act on. */
const BLOCKED_LIMIT_MS = 10 * 60_000;
/** Fresh windows may be late (a new pod, a new leader) by so much before the result is inconclusive. */
const VERIFY_GRACE_MS = 2 * 60_000;
const POLL_MS = 1000;

type FoundWorkload = Extract<WorkloadView, { type: 'found' }>;
type Decision = (view: IncidentView, now: number) => Step;

export function decide(view: IncidentView, now: number): Step {
  const phase = view.incident.status.phase;
  return phase === undefined ? opened(view, now) : byPhase[phase](view, now);
}

const opened: Decision = ({ incident }) => {
  const { trigger } = incident.spec;
  const detectMs = Date.parse(trigger.detectedAt) - Date.parse(trigger.firstBreachAt);
  return {
    type: 'advance',
    status: { phase: 'Detected', message: 'Capturing evidence on the node.', times: { detectMs } },
    story: { type: 'Warning', reason: 'Detected', note: `${describeTrigger(trigger)}.` },
  };
};

const detected: Decision = (view, now) => {
  if (view.bundle === 'received') return { type: 'effect', effect: 'seal' };
  const captureMs = view.policy ? durationMs(view.policy.spec.capture.duration) : 0;
  if (now - Date.parse(view.incident.spec.trigger.detectedAt) > captureMs + EVIDENCE_GRACE_MS) {
    return finish(view, now, 'Escalated', 'No evidence arrived from the node; read the log of the agent on that node.');
  }
  return wait(POLL_MS, 'the bundle has not arrived');
};

const captured: Decision = (view, now) => {
  const { diagnosis } = view.incident.status;
  if (!diagnosis) return finish(view, now, 'Escalated', 'No cause could be named from the evidence.');
  return {
    type: 'advance',
    status: { phase: 'Diagnosed', message: diagnosis.summary },
    story: { type: 'Normal', reason: 'Diagnosed', note: `${diagnosis.cause}: ${diagnosis.summary}` },
  };
};

const diagnosed: Decision = (view, now) => {
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
  if (plan.blockedBy && plan.blockedBy.length > 0) {
    const blocked = plan.blockedBy.join('; ');
    if (now - Date.parse(incident.spec.trigger.detectedAt) > BLOCKED_LIMIT_MS) {
      return withStatus(finish(view, now, 'Escalated', `Not acted: ${blocked}.`), { plan });
    }
    if (incident.status.message === blocked) return wait(5 * POLL_MS, blocked);
    return {
      type: 'advance',
      status: { plan, message: blocked },
      story: { type: 'Warning', reason: 'Blocked', note: blocked },
    };
  }
  return act(view, workload, plan, now);
};

/** Write-ahead: the record comes before the deed. */
function act(view: IncidentView, { owner, container, gogc }: FoundWorkload, plan: Plan, now: number): Step {
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

const acting: Decision = (view, now) => {
  const action = view.incident.status.actions?.at(-1);
  if (!action) return finish(view, now, 'Escalated', 'The record of the action is missing; nothing was changed.');
  if (action.result === 'Failed') return finish(view, now, 'Escalated', action.message ?? 'The action failed.');
  if (action.kind === 'Rollback') return rollingBack(view, action, now);
  if (action.result === 'Pending') return { type: 'effect', effect: 'apply' };
  if (view.workload.type !== 'found') return finish(view, now, 'Escalated', view.workload.message);
  if (view.workload.gogc !== action.after) {
    return finish(view, now, 'Escalated', `Someone set GOGC to ${describeSetting(view.workload.gogc)} meanwhile.`);
  }
  if (view.workload.rollout === 'failed' || now - Date.parse(action.at) > ROLLOUT_LIMIT_MS) {
    return beginRollback(view, action, now, 'the rollout did not complete');
  }
  if (view.workload.rollout === 'progressing') return wait(POLL_MS, 'the rollout is in progress');
  const { verification } = view.incident.status;
  if (!verification) return finish(view, now, 'Escalated', 'The signals before the action are missing.');
  return {
    type: 'advance',
    status: {
      phase: 'Verifying',
      message: 'Waiting for fresh windows of the new pods.',
      actions: replaceLast(view, { ...action, result: 'Completed' }),
      verification: { before: verification.before, startedAt: new Date(now).toISOString() },
    },
    story: {
      type: 'Normal',
      reason: 'Applied',
      note: `GOGC ${describeSetting(action.before)} → ${describeSetting(action.after)} is rolled out on ${action.owner.kind} ${action.owner.name}.`,
    },
  };
};

const verifying: Decision = (view, now) => {
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
    verdict.after.windows < before.length
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

function rollingBack(view: IncidentView, action: ActionRecord, now: number): Step {
  if (action.result === 'Pending') return { type: 'effect', effect: 'apply' };
  if (view.workload.type !== 'found') return finish(view, now, 'Escalated', view.workload.message);
  if (view.workload.rollout === 'settled') {
    const why = view.incident.status.verification?.reason ?? 'the rollout did not complete';
    const step = finish(view, now, 'RolledBack', `GOGC is ${describeSetting(action.after)} again: ${why}`);
    return withStatus(step, { actions: replaceLast(view, { ...action, result: 'Completed' }) });
  }
  if (now - Date.parse(action.at) > ROLLOUT_LIMIT_MS) {
    return finish(view, now, 'Escalated', 'The value before was restored, but its rollout did not complete.');
  }
  return wait(POLL_MS, 'the rollback is rolling out');
}

/** Back to the value before the first step of this incident, whichever step failed. */
function beginRollback(view: IncidentView, action: ActionRecord, now: number, why: string): Step {
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

const over: Decision = () => ({ type: 'done' });

const byPhase: Readonly<Record<Phase, Decision>> = {
  Detected: detected,
  Captured: captured,
  Diagnosed: diagnosed,
  Acting: acting,
  Verifying: verifying,
  Resolved: over,
  RolledBack: over,
  Escalated: over,
  Observed: over,
};

function wait(afterMs: number, reason: string): Step {
  return { type: 'wait', afterMs, reason };
}

export function replaceLast(view: IncidentView, action: ActionRecord): ActionRecord[] {
  return [...(view.incident.status.actions ?? []).slice(0, -1), action];
}

function withStatus(step: Step, status: Partial<IncidentStatus>): Step {
  return step.type === 'advance' ? { ...step, status: { ...status, ...step.status } } : step;
}
