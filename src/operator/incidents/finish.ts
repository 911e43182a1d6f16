import type { Phase } from '../../api/index.ts';
import type { IncidentView, Step, Story } from './view.ts';

/** The one way into a final phase: with a reason, the times, and a sentence for people. */
export function finish(
  view: IncidentView,
  now: number,
  phase: Extract<Phase, 'Resolved' | 'RolledBack' | 'Escalated' | 'Observed'>,
  message: string,
): Step {
  const { status, spec } = view.incident;
  // What is written to the template afterwards heals nothing more.
  const verifiedMs = Date.parse(status.verification?.endedAt ?? new Date(now).toISOString());
  const healMs = phase === 'Resolved' ? { healMs: verifiedMs - Date.parse(spec.trigger.detectedAt) } : {};
  const story: Story = {
    type: phase === 'Escalated' || phase === 'RolledBack' ? 'Warning' : 'Normal',
    reason: phase,
    note: message,
  };
  return {
    type: 'advance',
    status: {
      phase,
      message,
      times: { ...status.times, ...healMs, finishedAt: new Date(now).toISOString() },
    },
    story,
  };
}
