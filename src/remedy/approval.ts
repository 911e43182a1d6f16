/** Whether the consent of a person still stands, and whether what would be done now is what they saw. Pure. */
import {
  type Approval,
  type ApprovalStatus,
  type ApprovedChange,
  durationMs,
  type Plan,
  type PolicySpec,
  type Setting,
} from '../api/index.ts';

/** A laptop's clock may be ahead of the operator's by so much. */
const CLOCK_SKEW_MS = 60_000;

/** What there is to approve in a plan; undefined when it changes nothing. */
export function changeOf({ kind, knob, from = null, to = null }: Plan): ApprovedChange | undefined {
  return kind === 'None' || knob === undefined ? undefined : { kind, knob, from, to };
}

/** Until when a recommendation made now may be approved. */
export function offerUntil({ actions }: PolicySpec, now: number): string {
  return new Date(now + durationMs(actions.approval.offer)).toISOString();
}

/** One sentence; undefined while the approval stands. */
export function whyNotStanding(
  { at, by }: Approval,
  { until }: Pick<ApprovalStatus, 'until'>,
  { actions }: PolicySpec,
  now: number,
): string | undefined {
  const ageMs = now - Date.parse(at);
  if (Date.parse(at) > Date.parse(until)) return `${by} approved at ${at}, the offer ended at ${until}.`;
  if (ageMs < -CLOCK_SKEW_MS) return `The approval of ${by} is dated ${at}, ${seconds(-ageMs)} in the future.`;
  if (ageMs <= durationMs(actions.approval.valid)) return undefined;
  return `The approval of ${by} is ${seconds(ageMs)} old and stood for ${actions.approval.valid}.`;
}

/** One sentence; undefined when the plan made now is the one that was approved. */
export function whyNotApproved({ change, by }: Approval, plan: Plan): string | undefined {
  const now = changeOf(plan);
  if (!now) return `The plan made now is to do nothing: ${plan.reason}`;
  const same = now.kind === change.kind && now.knob === change.knob && now.from === change.from && now.to === change.to;
  return same ? undefined : `The plan made now is ${words(now)}; ${by} approved ${words(change)}.`;
}

function words({ kind, knob, from, to }: ApprovedChange): string {
  return `${knob} ${setting(from)} → ${setting(to)} by ${kind}`;
}

function setting(value: Setting): string {
  return value ?? 'unset';
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
