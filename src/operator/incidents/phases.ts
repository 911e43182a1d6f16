/**
 * An incident's life, one small decision per phase: `(view, now) → step`. Pure; reads top to bottom like the life itself.
 * Write-ahead: an action stands in the status as Pending, with the value before it, before anything is touched,
 * so that an operator killed at any point finds out from the API alone what it had begun.
 */
import { type ActionRecord, durationMs, type IncidentStatus, type Phase } from '../../api/index.ts';
import { finish } from './finish.ts';
import { judgeView, planView } from './judgement.ts';
import { describeChange, describeSetting, describeTrigger } from './sentences.ts';
import type { IncidentView, Step } from './view.ts';

/** How long evidence may take beyond the capture itself before the incident is handed to people. */
const EVIDENCE_GRACE_MS = 3 * 60_000;
/** How long a rollout may take before it counts as failed; Kubernetes' own default. */
const ROLLOUT_LIMIT_MS = 10 * 60_000;
/** A guardrail may hold a plan back for so long; after that the evidence is too old to act on. */
const BLOCKED_LIMIT_MS = 10 * 60_000;
/** Fresh windows may be late (a new pod, a new leader) by so much before the result is inconclusive. */
const VERIFY_GRACE_MS = 2 * 60_000;
const POLL_MS = 1000;

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

  const plan = planView(view, policy, workload, now);
  if (plan.kind === 'None' || plan.to === undefined) {
    return withPlan(finish(view, now, 'Escalated', plan.reason), plan);
  }
  if (plan.patch !== undefined) {
    return withPlan(finish(view, now, 'Observed', `${plan.reason} Recommended, not applied.`), plan);
  }
  if (plan.blockedBy && plan.blockedBy.length > 0) {
    const blocked = plan.blockedBy.join('; ');
    if (now - Date.parse(incident.spec.trigger.detectedAt) > BLOCKED_LIMIT_MS) {
      return withPlan(finish(view, now, 'Escalated', `Not acted: ${blocked}.`), plan);
    }
    if (incident.status.message === blocked) return wait(5 * POLL_MS, blocked);
    return {
      type: 'advance',
      status: { plan, message: blocked },
      story: { type: 'Warning', reason: 'Blocked', note: blocked },
    };
  }
  const action: ActionRecord = {
    kind: 'Rollout',
    owner: workload.owner,
    container: workload.container,
    knob: 'GOGC',
    before: workload.gogc,
    after: plan.to,
    at: new Date(now).toISOString(),
    result: 'Pending',
  };
  return { type: 'advance', status: { phase: 'Acting', plan, actions: [action], message: plan.reason } };
};

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
  const { incident, policy } = view;
  const { verification, actions } = incident.status;
  const action = actions?.at(-1);
  if (!policy || !action || !verification?.startedAt) {
    return finish(
      view,
      now,
      'Escalated',
      'The policy or the record of the action is gone; the change was left in place.',
    );
  }
  const { after, window, rollback } = policy.spec.actions.verify;
  const fromMs = Date.parse(verification.startedAt) + durationMs(after);
  const untilMs = fromMs + durationMs(window);
  if (now < untilMs) return wait(Math.min(untilMs - now, 5 * POLL_MS), 'collecting fresh windows');

  const { verdict, reason, after: summary } = judgeView(view, policy, { fromMs, untilMs });
  if (verdict === 'Inconclusive' && now < untilMs + VERIFY_GRACE_MS) return wait(2 * POLL_MS, reason);
  const result: IncidentStatus['verification'] = {
    ...verification,
    ...(summary ? { after: summary } : {}),
    verdict,
    reason,
    endedAt: new Date(now).toISOString(),
  };
  if (verdict === 'Better' && summary) {
    return withVerification(
      finish(view, now, 'Resolved', `${describeChange(verification.before, summary)}. ${reason}`),
      result,
    );
  }
  if (!rollback) {
    return withVerification(finish(view, now, 'Escalated', `${reason} The policy says not to roll back.`), result);
  }
  return withVerification(beginRollback(view, action, now, reason), result);
};

function rollingBack(view: IncidentView, action: ActionRecord, now: number): Step {
  if (action.result === 'Pending') return { type: 'effect', effect: 'rollBack' };
  if (view.workload.type !== 'found') return finish(view, now, 'Escalated', view.workload.message);
  if (view.workload.rollout === 'settled') {
    const why = view.incident.status.verification?.reason ?? 'the rollout did not complete';
    return finish(view, now, 'RolledBack', `GOGC is ${describeSetting(action.after)} again: ${why}`);
  }
  if (now - Date.parse(action.at) > ROLLOUT_LIMIT_MS) {
    return finish(view, now, 'Escalated', 'The value before was restored, but its rollout did not complete.');
  }
  return wait(POLL_MS, 'the rollback is rolling out');
}

function beginRollback(view: IncidentView, action: ActionRecord, now: number, why: string): Step {
  const back: ActionRecord = {
    ...action,
    kind: 'Rollback',
    before: action.after,
    after: action.before,
    at: new Date(now).toISOString(),
    result: 'Pending',
  };
  return {
    type: 'advance',
    status: {
      phase: 'Acting',
      message: `Rolling back: ${why}`,
      actions: [...(view.incident.status.actions ?? []), back],
    },
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

function withPlan(step: Step, plan: NonNullable<IncidentStatus['plan']>): Step {
  return step.type === 'advance' ? { ...step, status: { ...step.status, plan } } : step;
}

function withVerification(step: Step, verification: NonNullable<IncidentStatus['verification']>): Step {
  return step.type === 'advance' ? { ...step, status: { ...step.status, verification } } : step;
}
