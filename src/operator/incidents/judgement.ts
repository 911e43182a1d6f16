/** The view of an incident in the terms of `remedy`: what a plan and a verdict are made from. Pure. */
import { type Diagnosis, durationMs, type Plan, type RobotGCPolicy, type SignalSummary } from '../../api/index.ts';
import { type SignalWindow, summarise } from '../../model/index.ts';
import { factsOfWindows, type Judgement, judge, plan, type Way } from '../../remedy/index.ts';
import type { IncidentView } from './view.ts';
import type { WorkloadView } from './workload.ts';

/** A window is a second long and is reported with the next tick: its age here is up to twice that. */
const WINDOW_PERIOD_MS = 2000;

export interface PlanParts {
  readonly policy: RobotGCPolicy;
  readonly workload: Extract<WorkloadView, { type: 'found' }>;
  readonly diagnosis: Diagnosis;
  readonly summary: SignalSummary;
  /** Windows of the containers that the plan is for, oldest first. */
  readonly windows: readonly SignalWindow[];
}

export function planView(view: IncidentView, parts: PlanParts, now: number): Plan {
  const { policy, workload, diagnosis, summary, windows } = parts;
  return plan(
    {
      spec: policy.spec,
      signal: view.incident.spec.trigger.signal,
      diagnosis,
      summary,
      ...factsOfWindows(windows, now),
      subject: `${workload.owner.kind} ${workload.owner.name}`,
      ways: waysOf(view, workload),
      memoryLimitBytes: workload.memoryLimitBytes,
      history: view.history.map(({ action }) => action),
      busyWith: view.busyWith,
      paused: workload.paused,
      killSwitch: view.observeOnly,
      windowPeriodMs: WINDOW_PERIOD_MS,
    },
    new Date(now),
  );
}

function waysOf(view: IncidentView, workload: PlanParts['workload']): Way[] {
  return [
    {
      kind: 'Rollout',
      owner: workload.owner,
      namespace: view.incident.metadata.namespace,
      container: workload.container,
      setting: workload.gogc,
      settingFromRef: workload.gogcFromRef,
      inProgress: workload.rollout === 'progressing',
    },
    { kind: 'Missing', of: 'Live', why: 'Live is possible for a process of one machine only, by robotgc watch.' },
  ];
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
