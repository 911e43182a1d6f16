/**
 * An incident's life, one small decision per phase: `(view, now) → step`. Pure; the files read in the order of the life itself.
 * Write-ahead: an action stands in the status as Pending, with the value before it, before anything is touched,
 * so that an operator killed at any point finds out from the API alone what it had begun.
 */
import type { Phase } from '../../../api/index.ts';
import type { IncidentView, Step } from '../view.ts';
import { acting } from './acting.ts';
import { observed } from './approval.ts';
import { captured, detected, opened } from './evidence.ts';
import { diagnosed } from './planning.ts';
import type { Decision } from './step.ts';
import { verifying } from './verifying.ts';

export { replaceLast, wait } from './step.ts';
export { judged } from './verifying.ts';

export function decide(view: IncidentView, now: number): Step {
  const phase = view.incident.status.phase;
  return phase === undefined ? opened(view, now) : byPhase[phase](view, now);
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
  Observed: observed,
};
