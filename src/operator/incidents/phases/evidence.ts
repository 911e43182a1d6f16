/** From the breach to a cause. */
import { durationMs } from '../../../api/index.ts';
import { finish } from '../finish.ts';
import { describeTrigger } from '../sentences.ts';
import { type Decision, POLL_MS, wait } from './step.ts';

/** How long evidence may take beyond the capture itself before the incident is handed to people. */
const EVIDENCE_GRACE_MS = 3 * 60_000;

export const opened: Decision = ({ incident }) => {
  const { trigger } = incident.spec;
  const detectMs = Date.parse(trigger.detectedAt) - Date.parse(trigger.firstBreachAt);
  return {
    type: 'advance',
    status: { phase: 'Detected', message: 'Capturing evidence on the node.', times: { detectMs } },
    story: { type: 'Warning', reason: 'Detected', note: `${describeTrigger(trigger)}.` },
  };
};

export const detected: Decision = (view, now) => {
  if (view.bundle === 'received') return { type: 'effect', effect: 'seal' };
  const captureMs = view.policy ? durationMs(view.policy.spec.capture.duration) : 0;
  if (now - Date.parse(view.incident.spec.trigger.detectedAt) > captureMs + EVIDENCE_GRACE_MS) {
    return finish(view, now, 'Escalated', 'No evidence arrived from the node; read the log of the agent on that node.');
  }
  return wait(POLL_MS, 'the bundle has not arrived');
};

export const captured: Decision = (view, now) => {
  const { diagnosis } = view.incident.status;
  if (!diagnosis) return finish(view, now, 'Escalated', 'No cause could be named from the evidence.');
  return {
    type: 'advance',
    status: { phase: 'Diagnosed', message: diagnosis.summary },
    story: { type: 'Normal', reason: 'Diagnosed', note: `${diagnosis.cause}: ${diagnosis.summary}` },
  };
};
