/** Gathers what a decision about one incident may look at, from the caches, the signals and the volume. */
import {
  type ActionRecord,
  approvalOf,
  isFinal,
  isOpenAction,
  type Phase,
  type RobotGCIncident,
  type RobotGCPolicy,
} from '../../api/index.ts';
import { find, isKubeError, keyOf, type Pod, policies, type Transport, type Workload } from '../../kube/index.ts';
import type { SignalWindow } from '../../model/index.ts';
import { standing } from '../../remedy/index.ts';
import type { Attention } from '../attention.ts';
import type { FleetBreaker } from '../breaker.ts';
import type { Caches } from '../caches.ts';
import type { Incoming } from '../ingest/incoming.ts';
import { NO_RESIZE, observeResize } from '../resize/observe.ts';
import type { SignalStore } from '../signals.ts';
import { type Neighbours, NO_NEIGHBOURS, readNeighbours } from '../workloads/neighbours.ts';
import { findWorkload, ownerOfPod } from '../workloads/owner.ts';
import { podsOf } from '../workloads/pods.ts';
import { workloadResource } from '../workloads/resources.ts';
import { tunedBy } from '../workloads/tuned.ts';
import { ownerByServer } from './owner-by-server.ts';
import type { IncidentView, PastAction } from './view.ts';
import { wayOf } from './ways/index.ts';
import { type FoundWorkload, viewWorkload, type WorkloadView } from './workload.ts';

export interface Observed {
  readonly transport: Transport;
  readonly caches: Caches;
  readonly signals: SignalStore;
  readonly incoming: Incoming;
  readonly observeOnly: boolean;
  readonly breaker: FleetBreaker;
  readonly attention: Attention;
}

export async function observe(
  observed: Observed,
  incident: RobotGCIncident,
  signal: AbortSignal,
): Promise<IncidentView> {
  const { caches, signals, incoming } = observed;
  const { namespace, name } = incident.metadata;
  const container = incident.spec.container.name;
  const [policy, workload, hasBundle] = await Promise.all([
    latestPolicy(observed, incident, signal),
    viewOwner(observed, incident, signal),
    incoming.has(namespace, name),
  ]);
  const owners = workload.type === 'found' ? workload.owner.uid : undefined;
  const others = caches.incidents.store.list().filter((other) => other.metadata.uid !== incident.metadata.uid);
  return {
    incident,
    policy,
    workload,
    resize:
      workload.type === 'found'
        ? await observeResize(observed, workload.object, { container, policy }, signal)
        : NO_RESIZE,
    bundle: hasBundle ? 'received' : 'awaited',
    before: signals.between(incident.spec.pod.uid, container, 0, Number.POSITIVE_INFINITY),
    after: workload.type === 'found' ? windowsAfter(observed, incident, workload) : [],
    history: others.flatMap((other) => pastActions(other, owners)),
    tuned: tunedBy(caches.policies.store.list(), owners, policy),
    busyWith: others.find((other) => isBusy(other) && touches(other, owners))?.metadata.name,
    watchedSinceMs: observed.attention.look(keyOf(incident.metadata), Date.now()),
    observeOnly: observed.observeOnly,
    breaker: observed.breaker.at(Date.now()),
  };
}

/** The very policy that the incident names: one that was deleted and made anew under its name is another promise. */
export function policyOf(caches: Caches, incident: RobotGCIncident): RobotGCPolicy | undefined {
  const { name, uid } = incident.spec.policy;
  const policy = caches.policies.store.get(`${incident.metadata.namespace}/${name}`);
  return policy?.metadata.uid === uid ? policy : undefined;
}

/**
 * While we act, the mode is asked for anew: a switch to Observe stops the very next change, however late the cache is. And where a plan is
 * made, what continuous tuning has begun: it looks for incidents once its own change is written down.
 */
async function latestPolicy(
  { caches, transport }: Observed,
  incident: RobotGCIncident,
  signal: AbortSignal,
): Promise<RobotGCPolicy | undefined> {
  const { phase } = incident.status;
  const known = policyOf(caches, incident);
  const isOld = phase === 'Acting' || phase === 'Diagnosed' || isApproved(incident);
  // What the cache does not have may be too new for it; only the server can say that it is gone.
  if (!isOld && (known || isFinal(phase))) return known;
  const { name, uid } = incident.spec.policy;
  const fresh = await find(transport, policies, { name, namespace: incident.metadata.namespace }, { signal });
  return fresh?.metadata.uid === uid ? fresh : undefined;
}

/** A recommendation that a person approved, and that has not been answered yet. */
export function isApproved({ metadata, status }: RobotGCIncident): boolean {
  const state = status.approval?.state;
  const isOffered = status.phase === 'Observed' && (state === 'Offered' || state === 'HeldBack');
  return isOffered && approvalOf(metadata.annotations) !== undefined;
}

/** While we act, the cache may not show our own write yet, and an old `settled` would look like a finished rollout. */
async function freshOwner(
  { caches, transport }: Observed,
  incident: RobotGCIncident,
  signal: AbortSignal,
): Promise<Workload | undefined> {
  const owner = findOwner(caches, incident);
  if (!owner && !isFinal(incident.status.phase)) return ownerByServer(transport, incident, signal);
  const resource = owner && workloadResource({ apiVersion: 'apps/v1', kind: owner.kind });
  if (!resource || incident.status.phase !== 'Acting') return owner;
  const fresh = await find(transport, resource, owner.metadata, { signal });
  return fresh?.metadata.uid === owner.metadata.uid ? fresh : undefined;
}

/** From the action's own record once there is one, since its pod is gone by then; up from the pod before that. */
export function findOwner(caches: Caches, incident: RobotGCIncident): Workload | undefined {
  const recorded = incident.status.actions?.at(-1)?.owner;
  if (recorded) return findWorkload(caches, incident.metadata.namespace, recorded);
  const pod = podOf(caches, incident);
  const owner = pod && ownerOfPod(caches, pod);
  return owner?.type === 'found' ? owner.workload : undefined;
}

/** The very pod that the incident names, not one that was made anew under its name. */
function podOf(caches: Caches, { metadata, spec }: RobotGCIncident): Pod | undefined {
  const pod = caches.pods.store.get(`${metadata.namespace}/${spec.pod.name}`);
  return pod?.metadata.uid === spec.pod.uid ? pod : undefined;
}

async function viewOwner(observed: Observed, incident: RobotGCIncident, signal: AbortSignal): Promise<WorkloadView> {
  const { caches } = observed;
  const workload = await freshOwner(observed, incident, signal);
  if (!workload) return noOwner(caches, incident);
  const neighbours = await freshNeighbours(observed, incident, workload, signal);
  return viewWorkload(workload, incident.spec.container.name, { pods: podsOf(caches, workload), neighbours });
}

function noOwner(caches: Caches, incident: RobotGCIncident): WorkloadView {
  const recorded = incident.status.actions?.at(-1)?.owner;
  if (recorded)
    return { type: 'gone', message: `${recorded.kind} ${recorded.name} was deleted or made anew meanwhile` };
  const pod = podOf(caches, incident);
  const owner = pod && ownerOfPod(caches, pod);
  if (owner?.type !== 'unsupported')
    return { type: 'gone', message: `pod ${incident.spec.pod.name} is gone; nothing is left to remedy` };
  return { type: 'unsupported', message: owner.sentence };
}

/** Only where a plan may be made, which can be at the end of a verification too. */
async function freshNeighbours(
  { transport }: Observed,
  { status }: RobotGCIncident,
  workload: Workload,
  signal: AbortSignal,
): Promise<Neighbours> {
  const mayPlan =
    status.phase === 'Diagnosed' ||
    status.phase === 'Verifying' ||
    (status.phase === 'Acting' && status.actions?.at(-1)?.result !== 'Applied');
  if (!mayPlan) return NO_NEIGHBOURS;
  try {
    return await readNeighbours(transport, workload, signal);
  } catch (error) {
    if (isKubeError(error, 'Forbidden')) return { ...NO_NEIGHBOURS, unread: error.message };
    throw error;
  }
}

/** Windows of all containers of the workload that run with the setting that was changed last and stands. */
function windowsAfter(
  { caches, signals }: Observed,
  incident: RobotGCIncident,
  { pods }: FoundWorkload,
): SignalWindow[] {
  const action = standing(incident.status.actions ?? []).at(-1);
  if (!action) return [];
  const policy = policyOf(caches, incident);
  return pods
    .filter((pod) => wayOf(action)?.carries(pod, action, policy))
    .flatMap((pod) => signals.between(pod.metadata.uid, action.container, 0, Number.POSITIVE_INFINITY));
}

export function pastActions(incident: RobotGCIncident, ownerUid: string | undefined): PastAction[] {
  const { phase, actions } = incident.status;
  if (!phase || !actions) return [];
  return actions
    .filter((action) => action.owner.uid === ownerUid)
    .map((action) => ({ incident: incident.metadata.name, phase, action: settled(action, phase) }));
}

/** Nothing of an incident that is over is still under way, whatever its last record says. */
function settled(action: ActionRecord, phase: Phase): ActionRecord {
  return isOpenAction(action) && isFinal(phase) ? { ...action, result: 'Failed' } : action;
}

function isBusy({ status }: RobotGCIncident): boolean {
  return status.phase !== undefined && !isFinal(status.phase);
}

function touches(incident: RobotGCIncident, ownerUid: string | undefined): boolean {
  return incident.status.actions?.some((action) => action.owner.uid === ownerUid) ?? false;
}
