/** Whether a breach may become an incident now. Pure: the incidents that are known, and the clock. */
import { durationMs, isFinal, LABEL_WORKLOAD, type RobotGCIncident, type RobotGCPolicy } from '../../api/index.ts';

export interface Candidate {
  readonly policy: RobotGCPolicy;
  readonly podUid: string;
  readonly container: string;
  readonly workload: string;
}

export type Verdict =
  | { readonly type: 'open' }
  | { readonly type: 'held'; readonly reason: 'OpenIncident' | 'Cooldown'; readonly message: string };

/** @param incidents of the candidate's policy */
export function mayOpen(candidate: Candidate, incidents: readonly RobotGCIncident[], now: Date): Verdict {
  for (const incident of incidents) {
    if (!sameSubject(candidate, incident)) continue;
    const { name } = incident.metadata;
    if (!isFinal(incident.status.phase)) {
      return { type: 'held', reason: 'OpenIncident', message: `incident ${name} is not over` };
    }
    const leftMs = endedAtMs(incident) + durationMs(candidate.policy.spec.actions.cooldown) - now.getTime();
    if (leftMs > 0) {
      return { type: 'held', reason: 'Cooldown', message: `incident ${name} ended less than the cool-down ago` };
    }
  }
  return { type: 'open' };
}

/** One incident at a time for each workload. One that does not say which workload it is about counts for all. */
function sameSubject({ podUid, container, workload }: Candidate, { metadata, spec }: RobotGCIncident): boolean {
  if (spec.pod.uid === podUid && spec.container.name === container) return true;
  const labelled = metadata.labels[LABEL_WORKLOAD];
  return labelled === undefined || labelled === workload;
}

function endedAtMs({ metadata, status }: RobotGCIncident): number {
  return Date.parse(status.times?.finishedAt ?? metadata.creationTimestamp);
}
