/** The view of an incident in the terms of `remedy`: what a plan and a verdict are made from. Pure. */
import {
  type ActionRecord,
  approvalOf,
  type Diagnosis,
  durationMs,
  type Plan,
  type RobotGCPolicy,
  type SignalSummary,
} from '../../api/index.ts';
import { type SignalWindow, summarise } from '../../model/index.ts';
import {
  factsOfWindows,
  type Judgement,
  judge,
  type MissingWay,
  type Permission,
  plan,
  planPersist,
  standing,
  type Way,
  whyNotApproved,
  whyNotStanding,
} from '../../remedy/index.ts';
import { resizeWay } from '../resize/way.ts';
import { closedRollout, rolloutKnobs, standsAgainst, withSay } from './rollout-say.ts';
import type { IncidentView } from './view.ts';
import type { WorkloadView } from './workload.ts';

/** A window is a second long and is reported with the next tick: its age here is up to twice that. */
export const WINDOW_PERIOD_MS = 2000;

export interface PlanParts {
  readonly policy: RobotGCPolicy;
  readonly workload: Extract<WorkloadView, { type: 'found' }>;
  readonly diagnosis: Diagnosis;
  readonly summary: SignalSummary;
  /** Windows of the containers that the plan is for, oldest first. */
  readonly windows: readonly SignalWindow[];
  /** By what was just set; default: by the windows, which may be older. */
  readonly memoryLimitBytes?: number | undefined;
  /** By whom the plan will be held against what they approved. */
  readonly approvedBy?: string | undefined;
}

export function planView(view: IncidentView, parts: PlanParts, now: number): Plan {
  const { policy, workload, diagnosis, summary, windows } = parts;
  const against = standsAgainst(workload, policy, 'GOGC');
  const facts = factsOfWindows(windows, now);
  const planned = plan(
    {
      ...permissionOf(view, policy, workload, parts.approvedBy),
      signal: view.incident.spec.trigger.signal,
      diagnosis,
      summary,
      ...facts,
      ways: [...closedRollout(against), ...waysOf(view, workload, policy)],
      memoryLimitBytes: parts.memoryLimitBytes ?? facts.memoryLimitBytes ?? workload.memoryLimitBytes,
      soFar: standing(view.incident.status.actions ?? []),
      history: view.history.map(({ action }) => action),
      tuned: view.tuned,
      busyWith: view.busyWith,
      windowPeriodMs: WINDOW_PERIOD_MS,
    },
    new Date(now),
  );
  const { knob: changed } = planned;
  const knob = changed && changed !== 'Pod' ? changed : diagnosis.cause === 'GogcTooLow' ? 'GOGC' : 'MemoryLimit';
  return withSay(planned, standsAgainst(workload, policy, knob), policy);
}

/** What stands against a verified limit in the template. @param action as it stands in the record, the last one */
export function persistView(
  view: IncidentView,
  { policy, workload }: Pick<PlanParts, 'policy' | 'workload'>,
  action: ActionRecord,
  now: number,
): Plan {
  const { metadata, status } = view.incident;
  const against = standsAgainst(workload, policy, 'MemoryLimit', true);
  const occasion = {
    ...permissionOf(view, policy, workload, approverOf(view, policy, action, now)),
    ways: [...closedRollout(against), rolloutWay(workload, metadata.namespace)],
    soFar: standing(status.actions?.slice(0, -1) ?? []),
    history: view.history.map(({ action: past }) => past),
    tuned: view.tuned,
    busyWith: view.busyWith,
    newestWindowAgeMs: factsOfWindows(view.before, now).newestWindowAgeMs,
    windowPeriodMs: WINDOW_PERIOD_MS,
  };
  return withSay(planPersist(occasion, action.after ?? '', new Date(now)), against, policy);
}

export function permissionOf(
  view: IncidentView,
  policy: RobotGCPolicy,
  { owner, paused }: PlanParts['workload'],
  approvedBy?: string,
): Permission {
  return {
    approvedBy,
    spec: policy.spec,
    subject: `${owner.kind} ${owner.name}`,
    paused,
    killSwitch: view.observeOnly,
    breaker: view.breaker,
  };
}

/**
 * Of this very action while the approval stands, of what made room for it, or of the limit that is to stay: who approved the one approved what
 * it was for, and where it goes by the policy.
 */
export function approverOf(
  view: IncidentView,
  { spec }: RobotGCPolicy,
  action: ActionRecord,
  now: number,
): string | undefined {
  const { annotations } = view.incident.metadata;
  const approval = approvalOf(annotations);
  const offer = view.incident.status.approval;
  if (!approval || !offer || action.kind === 'Rollback') return undefined;
  const implied = (view.incident.status.actions ?? []).filter(
    ({ makesRoomFor, kind }) => makesRoomFor === action.knob || (action.persists && kind === 'Resize'),
  );
  const isApproved = [action, ...implied].some((each) => whyNotApproved(approval, asPlan(each)) === undefined);
  return isApproved && whyNotStanding(approval, offer, spec, now) === undefined ? approval.by : undefined;
}

function asPlan({ kind, knob, before, after }: ActionRecord): Plan {
  return { kind: kind === 'Rollback' ? 'None' : kind, knob, from: before, to: after, reason: '' };
}

/** A way that was refused for this incident is left out, with its reason. */
function waysOf(view: IncidentView, workload: PlanParts['workload'], policy: RobotGCPolicy): Way[] {
  const refused = (view.incident.status.actions ?? []).flatMap(({ kind, result, message }): MissingWay[] =>
    kind === 'Rollback' || result !== 'Failed' ? [] : [{ kind: 'Missing', of: kind, why: `${message}.` }],
  );
  return [
    ...refused,
    rolloutWay(workload, view.incident.metadata.namespace),
    resizeWay(
      view.resize,
      {
        namespace: view.incident.metadata.namespace,
        container: workload.container,
        podUid: view.incident.spec.pod.uid,
      },
      policy,
    ),
    { kind: 'Live' },
    { kind: 'Restart', namespace: view.incident.metadata.namespace, pod: view.incident.spec.pod.name },
  ];
}

export function rolloutWay(workload: PlanParts['workload'], namespace: string): Way {
  const { owner, container, settings, requestFollows, rollout } = workload;
  const inProgress = rollout.state === 'progressing';
  return {
    kind: 'Rollout',
    owner,
    namespace,
    container,
    settings,
    requestFollows,
    knobs: rolloutKnobs(workload),
    inProgress,
  };
}

export interface Verdict extends Judgement {
  readonly after: SignalSummary;
}

/** When the verification looks: warm-up over, as long as the policy says. Undefined before it has begun. */
export function verifyStretch(
  view: IncidentView,
  policy: RobotGCPolicy,
): { readonly fromMs: number; readonly untilMs: number } | undefined {
  const startedAt = view.incident.status.verification?.startedAt;
  if (startedAt === undefined) return undefined;
  const { after, window } = policy.spec.actions.verify;
  const fromMs = Date.parse(startedAt) + durationMs(after);
  return { fromMs, untilMs: fromMs + durationMs(window) };
}

/**
 * By what there is by now: the stretch, and what came after it while that was too little.
 * @param before windows of the evidence, recorded under the old setting
 */
export function judgeView(view: IncidentView, policy: RobotGCPolicy, before: readonly SignalWindow[]): Verdict {
  const stretch = verifyStretch(view, policy);
  const after = view.after
    .filter((w) => stretch && Date.parse(w.endedAt) > stretch.fromMs)
    .toSorted((a, b) => a.endedAt.localeCompare(b.endedAt));
  const judgement = judge({ before, after, policy: policy.spec, signal: view.incident.spec.trigger.signal });
  return { ...judgement, after: summarise(after) };
}
