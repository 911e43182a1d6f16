/** Incidents of this node whose capture an earlier agent did not finish. Pure. */
import { isFinal, type RobotGCIncident, type RobotGCPolicy } from '../../api/index.ts';
import type { Pod } from '../../kube/index.ts';
import type { Detection } from './incident.ts';

/** Evidence that comes later than this says nothing about the breach; the operator has given up by then. */
const worthwhileMs = 150_000;

/** @param agentStartedAt incidents detected after it are this agent's own, and in hand */
export function isAbandoned(incident: RobotGCIncident, node: string, agentStartedAt: Date, now: Date): boolean {
  const { spec, status } = incident;
  const detectedMs = Date.parse(spec.trigger.detectedAt);
  if (spec.node !== node || detectedMs >= agentStartedAt.getTime()) return false;
  if (status.capture?.endedAt !== undefined || status.bundle !== undefined) return false;
  if (isFinal(status.phase)) return false;
  return now.getTime() - detectedMs < worthwhileMs;
}

/** The detection that made the incident: responding to it again finds the incident by its name. */
export function detectionOf({ spec }: RobotGCIncident, policy: RobotGCPolicy, pod: Pod): Detection {
  const { detectedAt, ...observed } = spec.trigger;
  return {
    policy,
    pod,
    container: spec.container.name,
    containerId: spec.container.id,
    node: spec.node,
    breach: { type: 'breach', ...observed },
    detectedAt: new Date(detectedAt),
  };
}
