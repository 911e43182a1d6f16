/** Writing an incident's status: whole, by server-side apply, under our own field manager. */
import { type IncidentStatus, type RobotGCIncident, STATUS_FIELD_MANAGER } from '../../api/index.ts';
import { apply, incidents, type Transport } from '../../kube/index.ts';

/**
 * Applies the status as the operator wants it. The agent owns `capture`, so that stays out; the resource version makes a decision
 * that was taken on an older state of the incident fail as a Conflict instead of overwriting the newer one.
 */
export async function writeStatus(
  transport: Transport,
  incident: RobotGCIncident,
  change: Partial<IncidentStatus>,
  signal: AbortSignal,
): Promise<RobotGCIncident> {
  const { capture: _agents, ...ours } = { ...incident.status, ...change };
  const { name, namespace, resourceVersion, uid } = incident.metadata;
  return apply(
    transport,
    incidents,
    { metadata: { name, namespace, resourceVersion, uid }, status: ours },
    { fieldManager: STATUS_FIELD_MANAGER, force: true, subresource: 'status', signal },
  );
}
