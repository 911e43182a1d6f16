/** Gathers what a decision about one incident may look at, from the caches, the signals and the volume. */
import { type ActionRecord, isFinal, type Phase, type RobotGCIncident, type RobotGCPolicy } from '../../api/index.ts';
import { controllerOf, deployments, find, type Transport, type Workload } from '../../kube/index.ts';
import type { SignalWindow } from '../../model/index.ts';
import type { Caches } from '../caches.ts';
import type { Incoming } from '../ingest/incoming.ts';
import type { SignalStore } from '../signals.ts';
import type { IncidentView, PastAction } from './view.ts';
import { podsWith, viewDeployment, type WorkloadView } from './workload.ts';

export interface Observed {
  readonly transport: Transport;
  readonly caches: Caches;
  readonly signals: SignalStore;
  readonly incoming: Incoming;
  readonly observeOnly: boolean;
}

export async function observe(
  observed: Observed,
  incident: RobotGCIncident,
  signal: AbortSignal,
): Promise<IncidentView> {
  const { caches, signals, incoming } = observed;
  const { namespace, name } = incident.metadata;
  const policy = policyOf(caches, incident);
  const deployment = await freshOwner(observed, incident, signal);
  const container = incident.spec.container.name;
  const workload = viewOwner(caches, incident, deployment);
  const owners = workload.type === 'found' ? workload.owner.uid : undefined;
  const others = caches.incidents.store.list().filter((other) => other.metadata.uid !== incident.metadata.uid);
  return {
    incident,
    policy,
    workload,
    bundle: (await incoming.has(namespace, name)) ? 'received' : 'awaited',
    before: signals.between(incident.spec.pod.uid, container, 0, Number.POSITIVE_INFINITY),
    after: deployment ? windowsAfter(observed, incident, deployment) : [],
    history: others.flatMap((other) => pastActions(other, owners)),
    busyWith: others.find((other) => isBusy(other) && touches(other, owners))?.metadata.name,
    observeOnly: observed.observeOnly,
  };
}

/** The very policy that the incident names: one that was deleted and made anew under its name is another promise. */
export function policyOf(caches: Caches, incident: RobotGCIncident): RobotGCPolicy | undefined {
  const { name, uid } = incident.spec.policy;
  const policy = caches.policies.store.get(`${incident.metadata.namespace}/${name}`);
  return policy?.metadata.uid === uid ? policy : undefined;
}

/** While we act, the cache may not show our own write yet, and an old `settled` would look like a finished rollout. */
async function freshOwner(
  { caches, transport }: Observed,
  incident: RobotGCIncident,
  signal: AbortSignal,
): Promise<Workload | undefined> {
  const owner = findOwner(caches, incident);
  if (!owner || incident.status.phase !== 'Acting') return owner;
  const fresh = await find(transport, deployments, owner.metadata, { signal });
  return fresh?.metadata.uid === owner.metadata.uid ? fresh : undefined;
}

/** From the action's own record once there is one, since its pod is gone by then; up from the pod before that. */
export function findOwner(caches: Caches, incident: RobotGCIncident): Workload | undefined {
  const { namespace } = incident.metadata;
  const recorded = incident.status.actions?.at(-1)?.owner;
  if (recorded) {
    const deployment = caches.deployments.store.get(`${namespace}/${recorded.name}`);
    return deployment?.metadata.uid === recorded.uid ? deployment : undefined;
  }
  const pod = caches.pods.store.get(`${namespace}/${incident.spec.pod.name}`);
  if (pod?.metadata.uid !== incident.spec.pod.uid) return undefined;
  const replicaSetRef = controllerOf(pod.metadata);
  if (replicaSetRef?.kind !== 'ReplicaSet') return undefined;
  const replicaSet = caches.replicaSets.store.get(`${namespace}/${replicaSetRef.name}`);
  const ref = replicaSet && controllerOf(replicaSet.metadata);
  if (ref?.kind !== 'Deployment') return undefined;
  return caches.deployments.store.get(`${namespace}/${ref.name}`);
}

function viewOwner(caches: Caches, incident: RobotGCIncident, deployment: Workload | undefined): WorkloadView {
  if (deployment) return viewDeployment(deployment, incident.spec.container.name);
  const recorded = incident.status.actions?.at(-1)?.owner;
  if (recorded)
    return { type: 'gone', message: `${recorded.kind} ${recorded.name} was deleted or made anew meanwhile` };
  const pod = caches.pods.store.get(`${incident.metadata.namespace}/${incident.spec.pod.name}`);
  if (!pod) return { type: 'gone', message: `pod ${incident.spec.pod.name} is gone; nothing is left to remedy` };
  const kind = controllerOf(pod.metadata)?.kind ?? 'no controller';
  return {
    type: 'unsupported',
    message: `pod ${pod.metadata.name} belongs to ${kind}, and only the pods of a Deployment can be changed by a rollout`,
  };
}

/** Windows of all containers of the workload that run with the action's setting. */
function windowsAfter({ caches, signals }: Observed, incident: RobotGCIncident, deployment: Workload): SignalWindow[] {
  const action = incident.status.actions?.at(-1);
  if (!action) return [];
  const replicaSets = caches.replicaSets.store.byIndex('controller', deployment.metadata.uid);
  const pods = replicaSets.flatMap((set) => caches.pods.store.byIndex('controller', set.metadata.uid));
  return podsWith(pods, action.container, action.after).flatMap((pod) =>
    signals.between(pod.metadata.uid, action.container, 0, Number.POSITIVE_INFINITY),
  );
}

function pastActions(incident: RobotGCIncident, ownerUid: string | undefined): PastAction[] {
  const { phase, actions } = incident.status;
  if (!phase || !actions) return [];
  return actions
    .filter((action) => action.owner.uid === ownerUid)
    .map((action) => ({ incident: incident.metadata.name, phase, action: settled(action, phase) }));
}

/** Nothing of an incident that is over is still under way, whatever its last record says. */
function settled(action: ActionRecord, phase: Phase): ActionRecord {
  const open = action.result === 'Pending' || action.result === 'Applied';
  return open && isFinal(phase) ? { ...action, result: 'Failed' } : action;
}

function isBusy({ status }: RobotGCIncident): boolean {
  return status.phase !== undefined && !isFinal(status.phase);
}

function touches(incident: RobotGCIncident, ownerUid: string | undefined): boolean {
  return incident.status.actions?.some((action) => action.owner.uid === ownerUid) ?? false;
}
