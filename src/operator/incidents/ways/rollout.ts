/** By new pods: one knob in the owner's pod template, on a Deployment, StatefulSet or DaemonSet. */
import { type ActionRecord, knobOf } from '../../../api/index.ts';
import { brokenPod, lastProgressMs } from '../../workloads/broken-pods.ts';
import { ownsPartition } from '../../workloads/owned.ts';
import { podsWith } from '../../workloads/pods.ts';
import { describeSetting } from '../sentences.ts';
import type { IncidentView } from '../view.ts';
import type { FoundWorkload } from '../workload.ts';
import { applyToTemplate } from './template.ts';
import type { ActingWay, Progress } from './way.ts';

/** How long a rollout may stand still before it counts as failed; Kubernetes' own default for a Deployment. */
const STANDSTILL_LIMIT_MS = 10 * 60_000;

export const rollout: ActingWay = {
  progress,
  apply: applyToTemplate,
  carries: (pod, { container, knob, after }) => podsWith([pod], container, knobOf(knob), after).length > 0,
};

function progress(view: IncidentView, workload: FoundWorkload, action: ActionRecord, now: number): Progress {
  const { setting } = workload.settings[knobOf(action.knob)];
  // The others follow a canary: the template is changed, and its partition still holds them back.
  const heldBack = !action.canary && ownsPartition(workload.object) && workload.object.spec.partition > 0;
  if (heldBack && setting === action.after && action.result === 'Pending') return { type: 'before' };
  if (setting === action.before && setting !== action.after && action.result === 'Pending') return { type: 'before' };
  if (setting !== action.after) {
    return { type: 'meanwhile', sentence: `Someone set ${action.knob} to ${describeSetting(setting)} meanwhile.` };
  }
  const { state, sentence } = workload.rollout;
  if (state === 'settled') return { type: 'settled' };
  const why =
    state === 'failed'
      ? sentence
      : whyInVain(workload, Math.max(Date.parse(action.at), view.watchedSinceMs), action, now);
  return why === undefined
    ? { type: 'underway', reason: sentence }
    : { type: 'failed', why: `the rollout failed: ${why}` };
}

/** A StatefulSet and a DaemonSet have no deadline, and a Deployment's comes late where its new pods crash at once. */
function whyInVain(
  { pods, rollout: { sentence } }: FoundWorkload,
  fromMs: number,
  action: ActionRecord,
  now: number,
): string | undefined {
  const fresh = podsWith(pods, action.container, knobOf(action.knob), action.after);
  const broken = brokenPod(fresh);
  if (broken) return broken.sentence;
  const sinceMs = now - Math.max(fromMs, lastProgressMs(fresh));
  if (sinceMs <= STANDSTILL_LIMIT_MS) return undefined;
  return `no new pod for ${Math.round(sinceMs / 60_000)} minutes, ${sentence}`;
}
