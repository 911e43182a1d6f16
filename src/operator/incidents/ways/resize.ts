/** In place: the memory limit of running containers, by the pods' `resize` subresource. The pod in breach first, then the others, a few at a time. */
import { type ActionRecord, quantityBytes } from '../../../api/index.ts';
import { find, type Pod, pods as podResource } from '../../../kube/index.ts';
import { withHeadRoom } from '../../../model/index.ts';
import { nextBatch, standing } from '../../../remedy/index.ts';
import { resizePod } from '../../resize/apply.ts';
import { type LimitChange, type PodResize, podResize, running } from '../../resize/pod-resize.ts';
import { describeSetting } from '../sentences.ts';
import type { IncidentView } from '../view.ts';
import type { FoundWorkload } from '../workload.ts';
import type { ActingWay, Outcome, Progress, WayContext } from './way.ts';

/** A kubelet does it within seconds, or waits for room: another way is quicker then. */
const RESIZE_LIMIT_MS = 2 * 60_000;
/** Back to a smaller limit only what fits can go: the collector may take its time. */
const SHRINK_LIMIT_MS = 10 * 60_000;

export const resize: ActingWay = { progress, apply, carries };

function progress(view: IncidentView, _workload: FoundWorkload, action: ActionRecord, now: number): Progress {
  const resizeOf = resizesBy(view, action);
  const resizing = running(view.resize.pods).map((pod) => ({ pod, resize: resizeOf(pod) }));
  const inBreach = resizing.find(({ pod }) => pod.metadata.uid === view.incident.spec.pod.uid);
  const ours = resizing.filter(({ resize: { state } }) => state !== 'other');
  const [other] = inBreach ? [inBreach.resize] : resizing.map((each) => each.resize);
  if (other?.state === 'other')
    return {
      type: 'meanwhile',
      sentence: `Someone set the memory limit to ${describeSetting(other.limit)} meanwhile.`,
    };
  const isLate =
    now - Math.max(Date.parse(action.at), view.watchedSinceMs) >
    (action.kind === 'Rollback' ? SHRINK_LIMIT_MS : RESIZE_LIMIT_MS);
  if (ours.length === 0) {
    // The last one may be on its way to be started anew.
    const why = 'no running pod of the workload is left';
    return isLate ? { type: 'failed', why } : { type: 'underway', reason: why };
  }

  const all = ours.map((each) => each.resize);
  const infeasible = all.find((each) => each.state === 'infeasible');
  if (infeasible) return stuck(all, infeasible.sentence);
  if (all.every(({ state }) => state === 'settled')) return { type: 'settled' };
  if (batchOf(view, action).length > 0) {
    if (isLate && action.result !== 'Pending') return stuck(all, 'not every pod could be resized in time');
    return all.every(({ state }) => state === 'before') && action.result === 'Pending'
      ? { type: 'before' }
      : { type: 'next' };
  }
  const waiting = all.find((each) => each.state === 'underway');
  const why = waiting?.sentence ?? tooMuchInUse(view, action) ?? 'the next pods wait for those under way';
  return isLate ? stuck(all, why) : { type: 'underway', reason: why };
}

/** How far a pod is with an action. */
function resizesBy(view: IncidentView, action: ActionRecord): (pod: Pod) => PodResize {
  const change = changeOf(view, action);
  return (pod) => podResize(pod, action.container, change);
}

function changeOf({ incident }: IncidentView, { kind, before, after }: ActionRecord): LimitChange {
  if (kind !== 'Rollback') return { before, after };
  const steps = standing(incident.status.actions ?? []).filter((each) => each.kind === 'Resize');
  return { before, after, between: steps.map((step) => step.after) };
}

/** Where nothing took it up, another way may be tried. */
function stuck(all: readonly PodResize[], why: string): Progress {
  return all.some(({ state }) => state === 'settled') ? { type: 'failed', why } : { type: 'refused', why };
}

/** Read anew right before, so that nothing is built on an old resource; the cache only says which. */
async function apply(context: WayContext, action: ActionRecord, signal: AbortSignal): Promise<Outcome> {
  const { transport, view, policy } = context;
  if (action.after === null) return { type: 'refused', message: 'A memory limit is not taken away.' };
  const change = { container: action.container, limit: action.after };
  const takeOver = policy?.spec.actions.fieldConflicts === 'TakeOver' || action.kind === 'Rollback';
  const managers = new Set(action.previousManagers);
  const resizeOf = resizesBy(view, action);
  for (const { metadata } of batchOf(view, action)) {
    const pod = await find(transport, podResource, metadata, { signal });
    // Gone, or resized by an earlier try that was killed before it could be written down.
    if (pod?.metadata.uid !== metadata.uid || resizeOf(pod).state !== 'before') continue;
    await context.fence(signal);
    const outcome = await resizePod(transport, pod, change, { takeOver, signal });
    if (outcome.type === 'refused') return outcome;
    for (const manager of outcome.previousManagers) managers.add(manager);
  }
  return { type: 'applied', previousManagers: [...managers] };
}

/** A way back spares nobody: all pods that it fits at once. */
function batchOf(view: IncidentView, action: ActionRecord): Pod[] {
  const { policy, incident } = view;
  const pods = running(view.resize.pods);
  const resizeOf = resizesBy(view, action);
  const progressOf = pods.map((pod) => {
    const { state } = resizeOf(pod);
    const isReady = pod.status.conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
    const change = state === 'before' ? 'before' : state === 'underway' ? 'underway' : 'settled';
    return { uid: pod.metadata.uid, ready: isReady, change } as const;
  });
  const share = action.kind === 'Rollback' || !policy ? '100%' : policy.spec.actions.blastRadius;
  const { take } = nextBatch(progressOf, share, incident.spec.pod.uid);
  return pods.filter(({ metadata }) => take.includes(metadata.uid) && fits(view, action, metadata.uid));
}

/** Where the limit shrinks, what is in use and its head-room must be below it first. */
function fits({ resize: { useBytes } }: IncidentView, { before, after }: ActionRecord, uid: string): boolean {
  const [from, to] = [quantityBytes(before ?? ''), quantityBytes(after ?? '')];
  if (from === undefined || to === undefined || to >= from) return true;
  const use = useBytes.get(uid);
  return use === undefined || withHeadRoom(use) <= to;
}

function tooMuchInUse(view: IncidentView, action: ActionRecord): string | undefined {
  const large = running(view.resize.pods).find(({ metadata }) => !fits(view, action, metadata.uid));
  if (!large) return undefined;
  const mib = Math.round((view.resize.useBytes.get(large.metadata.uid) ?? 0) / 2 ** 20);
  return `pod ${large.metadata.name} uses ${mib} MiB, too much for a limit of ${describeSetting(action.after)}`;
}

function carries(pod: Pod, action: ActionRecord): boolean {
  return running([pod]).length > 0 && podResize(pod, action.container, action).state === 'settled';
}
