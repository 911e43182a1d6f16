/** Gathers what continuous tuning may look at, from the caches and the signals; from the API server itself while a change is under way. */
import {
  type ActionRecord,
  isFinal,
  quantityBytes,
  type RobotGCIncident,
  type RobotGCPolicy,
  type TuningState,
} from '../../api/index.ts';
import {
  find,
  incidents,
  keyOf,
  list,
  memoryLimitOf,
  type Pod,
  type Transport,
  type Workload,
} from '../../kube/index.ts';
import { type Calm, calmMs, stretchBefore, tuningFacts } from '../../remedy/index.ts';
import type { Attention } from '../attention.ts';
import type { FleetBreaker } from '../breaker.ts';
import type { Caches } from '../caches.ts';
import { findOwner, isApproved, pastActions } from '../incidents/observe.ts';
import { type FoundWorkload, viewWorkload } from '../incidents/workload.ts';
import { largest } from '../resize/largest.ts';
import { NO_RESIZE, observeResize } from '../resize/observe.ts';
import type { SignalStore } from '../signals.ts';
import { hasMemoryFor } from '../workloads/desired.ts';
import { NO_NEIGHBOURS } from '../workloads/neighbours.ts';
import { findWorkload, ownerOfPod } from '../workloads/owner.ts';
import { podsOf } from '../workloads/pods.ts';
import { workloadResource } from '../workloads/resources.ts';
import { tunedBy } from '../workloads/tuned.ts';
import { openAction, type TuningView } from './view.ts';

export interface TuningSources {
  readonly transport: Transport;
  readonly caches: Caches;
  readonly signals: SignalStore;
  readonly observeOnly: boolean;
  readonly breaker: FleetBreaker;
  readonly attention: Attention;
}

/** A container of a workload, as far as the policy's agents watch it or something was begun on it. */
interface Subject {
  readonly workload: Workload;
  readonly container: string;
  readonly known: TuningState | undefined;
}

/** Those of whose workload nothing is left are left out. */
export async function observeTuning(
  sources: TuningSources,
  policy: RobotGCPolicy,
  now: number,
  signal: AbortSignal,
): Promise<TuningView[]> {
  const views: TuningView[] = [];
  for (const subject of subjectsOf(sources.caches, policy)) {
    const view = await viewSubject(sources, policy, subject, now, signal);
    if (view) views.push(view);
  }
  return views;
}

function subjectsOf(caches: Caches, policy: RobotGCPolicy): Subject[] {
  const { namespace } = policy.metadata;
  const known = policy.status.tuning ?? [];
  const subjects = new Map<string, Subject>();
  const add = (workload: Workload, container: string) =>
    subjects.set(`${workload.metadata.uid}/${container}`, {
      workload,
      container,
      known: known.find(({ owner, container: name }) => owner.uid === workload.metadata.uid && name === container),
    });
  for (const { owner, container } of known) {
    const workload = findWorkload(caches, namespace, owner);
    if (workload) add(workload, container);
  }
  for (const { pod: name, container, state } of policy.status.containers ?? []) {
    const pod = state === 'Watching' ? caches.pods.store.get(`${namespace}/${name}`) : undefined;
    const owner = pod && ownerOfPod(caches, pod);
    if (owner?.type === 'found') add(owner.workload, container);
  }
  return [...subjects.values()];
}

async function viewSubject(
  sources: TuningSources,
  policy: RobotGCPolicy,
  { workload: cached, container, known }: Subject,
  now: number,
  signal: AbortSignal,
): Promise<TuningView | undefined> {
  const { caches, signals, transport, attention, observeOnly, breaker } = sources;
  const open = openAction(known);
  // The cache may not show our own write yet, and no wish would look like one that somebody withdrew.
  const object = open ? await readAnew(transport, cached, signal) : cached;
  if (!object) return undefined;
  const { uid, namespace } = object.metadata;
  const workload = viewWorkload(object, container, { pods: podsOf(caches, object), neighbours: NO_NEIGHBOURS });
  if (workload.type !== 'found') return undefined;
  const serving = workload.pods.filter(serves).map((pod) => {
    const windows = signals.between(pod.metadata.uid, container, 0, Number.POSITIVE_INFINITY);
    const hasMemory = hasMemoryFor(pod, container, workload.desired[container]);
    return { hasMemory, stretch: stretchBefore(windows, policy.spec) };
  });
  const stretches = (hasMemory: boolean) =>
    serving.filter((pod) => pod.hasMemory === hasMemory).map((pod) => pod.stretch);
  // An incident that is opened after this look finds our change written down when it plans.
  const all =
    open?.result === 'Pending'
      ? await list(transport, incidents, { namespace, signal })
      : caches.incidents.store.list();
  const watchedSinceMs = attention.look(keyOf(policy.metadata), now);
  const concerned = all.filter((incident) => concerns(caches, incident, uid, policy));
  const history = all.flatMap((incident) => pastActions(incident, uid)).map(({ action }) => action);
  const tuned = tunedBy(caches.policies.store.list(), uid, policy);
  const sinceMs = Math.max(watchedSinceMs, ...concerned.map(endOf));
  const fromMs = Math.max(sinceMs, now - calmMs({ spec: policy.spec, history, tuned }));
  const facts = serving.some((pod) => pod.hasMemory)
    ? tuningFacts(stretches(true), now, stretches(false))
    : tuningFacts(stretches(false), now);
  return {
    policy,
    workload,
    known,
    facts: { ...facts, memoryLimitBytes: facts.memoryLimitBytes ?? workload.memoryLimitBytes },
    history,
    tuned,
    busyWith: concerned.find(isUnderWay)?.metadata.name,
    resize: mayResize(workload, policy, open)
      ? await observeResize(sources, object, { container, policy }, signal)
      : NO_RESIZE,
    calm: { sinceMs, ...peaksOf(signals, workload, fromMs) },
    watchedSinceMs,
    observeOnly,
    breaker: breaker.at(now),
  };
}

/** A limit of a pod is above what its template says, or on its way back there: only then it is asked what bounds a resize. */
function mayResize({ pods, container, memoryLimitBytes }: FoundWorkload, { spec }: RobotGCPolicy, open?: ActionRecord) {
  if (open?.kind === 'Resize' || open?.undoes === 'Resize') return true;
  const limit = limitOf(largest(pods, container), container);
  return spec.actions.apply.includes('Resize') && limit > (memoryLimitBytes ?? Number.POSITIVE_INFINITY);
}

function limitOf(pod: Pod | undefined, container: string): number {
  return quantityBytes((pod && memoryLimitOf(pod, container)) ?? '') ?? 0;
}

function peaksOf(signals: SignalStore, { pods, container }: FoundWorkload, fromMs: number): Omit<Calm, 'sinceMs'> {
  const peaks = pods.filter(serves).map(({ metadata }) => signals.peaks(metadata.uid, container, fromMs));
  return {
    peakLiveBytes: maximum(peaks.map(({ heapLiveBytes }) => heapLiveBytes)),
    peakUseBytes: maximum(peaks.map(({ useBytes }) => useBytes)),
  };
}

/** Undefined where one of them is not known. */
function maximum(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length > 0 && known.length === values.length ? Math.max(...known) : undefined;
}

/** Or, of one that is not over, its beginning. */
function endOf({ status, spec }: RobotGCIncident): number {
  return Date.parse(status.times?.finishedAt ?? spec.trigger.detectedAt);
}

async function readAnew(
  transport: Transport,
  { kind, metadata }: Workload,
  signal: AbortSignal,
): Promise<Workload | undefined> {
  const resource = workloadResource({ apiVersion: 'apps/v1', kind });
  const fresh = resource && (await find(transport, resource, metadata, { signal }));
  return fresh?.metadata.uid === metadata.uid ? fresh : undefined;
}

function serves({ metadata, status }: Pod): boolean {
  const isReady = status.conditions.some(({ type, status: is }) => type === 'Ready' && is === 'True');
  return metadata.deletionTimestamp === '' && isReady;
}

/** An approved recommendation is about to be acted on. */
function isUnderWay(incident: RobotGCIncident): boolean {
  return !isFinal(incident.status.phase) || isApproved(incident);
}

/** One whose pod is gone counts as long as it stands in the policy's name. */
function concerns(caches: Caches, incident: RobotGCIncident, uid: string, policy: RobotGCPolicy): boolean {
  if (incident.metadata.namespace !== policy.metadata.namespace) return false;
  const owner = findOwner(caches, incident);
  return owner ? owner.metadata.uid === uid : incident.spec.policy.uid === policy.metadata.uid;
}
