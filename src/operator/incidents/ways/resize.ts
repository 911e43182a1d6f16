/** In place: the memory limit of running containers, by the pods' `resize` subresource. The pod in breach first, then the others, a few at a time. */
import { type ActionRecord, quantityBytes, type RobotGCPolicy, type Setting } from '../../../api/index.ts';
import { find, type Pod, pods as podResource } from '../../../kube/index.ts';
import { withHeadRoom } from '../../../model/index.ts';
import { nextBatch, standing } from '../../../remedy/index.ts';
import { resizePod } from '../../resize/apply.ts';
import type { ResizeView } from '../../resize/observe.ts';
import { type LimitChange, type PodResize, podResize, running } from '../../resize/pod-resize.ts';
import { describeSetting } from '../sentences.ts';
import type { IncidentView } from '../view.ts';
import type { ActingWay, Outcome, Progress, WayContext } from './way.ts';

/** A kubelet does it within seconds, or waits for room: another way is quicker then. */
const RESIZE_LIMIT_MS = 2 * 60_000;
/** Back to a smaller limit only what fits can go: the collector may take its time. */
const SHRINK_LIMIT_MS = 10 * 60_000;

export const resize: ActingWay = {
  progress: (view, _workload, action, now) => resizeProgress(taskOf(view), action, now),
  apply: ({ transport, view, policy, fence }, action, signal) =>
    setLimit({ transport, fence }, { ...taskOf(view), policy }, action, signal),
  carries,
};

/** What a change of the limit is made to, and by which rules. */
export interface ResizeTask {
  readonly resize: ResizeView;
  /** Undefined: it was deleted, and this is a way back. */
  readonly policy: RobotGCPolicy | undefined;
  readonly watchedSinceMs: number;
  /** The pod in breach, where there is one: it goes first. */
  readonly firstPodUid?: string;
  /** Of a way back over several steps: the limits that they set. */
  readonly between?: readonly Setting[];
}

function taskOf({ resize: view, policy, watchedSinceMs, incident: { spec, status } }: IncidentView): ResizeTask {
  const steps = standing(status.actions ?? []).filter((each) => each.kind === 'Resize');
  return {
    ...{ resize: view, policy, watchedSinceMs },
    firstPodUid: spec.pod.uid,
    between: steps.map((step) => step.after),
  };
}

/** See `ActingWay`; of what continuous tuning does as well. */
export function resizeProgress(task: ResizeTask, action: ActionRecord, now: number): Progress {
  const resizeOf = resizesBy(task, action);
  const resizing = running(task.resize.pods).map((pod) => ({ pod, resize: resizeOf(pod) }));
  const inBreach = resizing.find(({ pod }) => pod.metadata.uid === task.firstPodUid);
  const ours = resizing.filter(({ resize: { state } }) => state !== 'other');
  const [other] = inBreach ? [inBreach.resize] : ours.length > 0 ? [] : resizing.map((each) => each.resize);
  if (other?.state === 'other')
    return {
      type: 'meanwhile',
      sentence: `Someone set the memory limit to ${describeSetting(other.limit)} meanwhile.`,
    };
  const isLate =
    now - Math.max(Date.parse(action.at), task.watchedSinceMs) >
    (action.kind === 'Rollback' || shrinks(action) ? SHRINK_LIMIT_MS : RESIZE_LIMIT_MS);
  if (ours.length === 0) {
    // The last one may be on its way to be started anew.
    const why = 'no running pod of the workload is left';
    return isLate ? { type: 'failed', why } : { type: 'underway', reason: why };
  }

  const all = ours.map((each) => each.resize);
  const infeasible = all.find((each) => each.state === 'infeasible');
  if (infeasible) return stuck(all, infeasible.sentence);
  if (all.every(({ state }) => state === 'settled')) return { type: 'settled' };
  if (batchOf(task, action).length > 0) {
    if (isLate && action.result !== 'Pending') return stuck(all, 'not every pod could be resized in time');
    return all.every(({ state }) => state === 'before') && action.result === 'Pending'
      ? { type: 'before' }
      : { type: 'next' };
  }
  const waiting = all.find((each) => each.state === 'underway');
  const why = waiting?.sentence ?? tooMuchInUse(task, action) ?? 'the next pods wait for those under way';
  return isLate ? stuck(all, why) : { type: 'underway', reason: why };
}

/** How far a pod is with an action. */
function resizesBy({ between }: ResizeTask, { container, kind, before, after }: ActionRecord): (pod: Pod) => PodResize {
  const change: LimitChange = kind === 'Rollback' && between ? { before, after, between } : { before, after };
  return (pod) => podResize(pod, container, change);
}

/** Where nothing took it up, another way may be tried. */
function stuck(all: readonly PodResize[], why: string): Progress {
  return all.some(({ state }) => state === 'settled') ? { type: 'failed', why } : { type: 'refused', why };
}

/** Read anew right before, so that nothing is built on an old resource; the cache only says which. */
export async function setLimit(
  { transport, fence }: Pick<WayContext, 'transport' | 'fence'>,
  task: ResizeTask,
  action: ActionRecord,
  signal: AbortSignal,
): Promise<Outcome> {
  if (action.after === null) return { type: 'refused', message: 'A memory limit is not taken away.' };
  const change = { container: action.container, limit: action.after };
  const takeOver = task.policy?.spec.actions.fieldConflicts === 'TakeOver' || action.kind === 'Rollback';
  const managers = new Set(action.previousManagers);
  const resizeOf = resizesBy(task, action);
  for (const { metadata } of batchOf(task, action)) {
    const pod = await find(transport, podResource, metadata, { signal });
    // Gone, or resized by an earlier try that was killed before it could be written down.
    if (pod?.metadata.uid !== metadata.uid || resizeOf(pod).state !== 'before') continue;
    await fence(signal);
    const outcome = await resizePod(transport, pod, change, { takeOver, signal });
    if (outcome.type === 'refused') return outcome;
    for (const manager of outcome.previousManagers) managers.add(manager);
  }
  return { type: 'applied', previousManagers: [...managers] };
}

/** A way back spares nobody: all pods that it fits at once. */
function batchOf(task: ResizeTask, action: ActionRecord): Pod[] {
  const { policy, firstPodUid } = task;
  const pods = running(task.resize.pods);
  const resizeOf = resizesBy(task, action);
  const progressOf = pods.map((pod) => {
    const { state } = resizeOf(pod);
    const isReady = pod.status.conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
    const change = state === 'before' ? 'before' : state === 'underway' ? 'underway' : 'settled';
    return { uid: pod.metadata.uid, ready: isReady, change } as const;
  });
  const share = action.kind === 'Rollback' || !policy ? '100%' : policy.spec.actions.blastRadius;
  const { take } = nextBatch(progressOf, share, firstPodUid);
  return pods.filter(({ metadata }) => take.includes(metadata.uid) && fits(task, action, metadata.uid));
}

/** Where the limit shrinks, what is in use and its head-room must be below it first. */
function fits({ resize: { useBytes } }: ResizeTask, action: ActionRecord, uid: string): boolean {
  const to = quantityBytes(action.after ?? '');
  const use = useBytes.get(uid);
  return !shrinks(action) || use === undefined || to === undefined || withHeadRoom(use) <= to;
}

function shrinks({ before, after }: ActionRecord): boolean {
  const [from, to] = [quantityBytes(before ?? ''), quantityBytes(after ?? '')];
  return from !== undefined && to !== undefined && to < from;
}

function tooMuchInUse(task: ResizeTask, action: ActionRecord): string | undefined {
  const large = running(task.resize.pods).find(({ metadata }) => !fits(task, action, metadata.uid));
  if (!large) return undefined;
  const mib = Math.round((task.resize.useBytes.get(large.metadata.uid) ?? 0) / 2 ** 20);
  return `pod ${large.metadata.name} uses ${mib} MiB, too much for a limit of ${describeSetting(action.after)}`;
}

function carries(pod: Pod, action: ActionRecord): boolean {
  return running([pod]).length > 0 && podResize(pod, action.container, action).state === 'settled';
}
