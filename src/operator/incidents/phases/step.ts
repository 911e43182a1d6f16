/** Small builders of steps that several phases use. */
import type { ActionRecord, IncidentStatus } from '../../../api/index.ts';
import type { IncidentView, Step } from '../view.ts';

export type Decision = (view: IncidentView, now: number) => Step;

export const POLL_MS = 1000;

export function wait(afterMs: number, reason: string): Step {
  return { type: 'wait', afterMs, reason };
}

export function replaceLast(view: IncidentView, action: ActionRecord): ActionRecord[] {
  return [...(view.incident.status.actions ?? []).slice(0, -1), action];
}

/** Wherever it stands: what followed upon it, and was refused, may stand behind it. */
export function replaceRecord(actions: readonly ActionRecord[], action: ActionRecord): ActionRecord[] {
  const { kind, knob, at } = action;
  const index = actions.findLastIndex((each) => each.kind === kind && each.knob === knob && each.at === at);
  return actions.map((each, position) => (position === index ? action : each));
}

/** Adds to what the step writes; what the step itself says comes first. */
export function withStatus(step: Step, status: Partial<IncidentStatus>): Step {
  return step.type === 'advance' ? { ...step, status: { ...status, ...step.status } } : step;
}
