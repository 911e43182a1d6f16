/**
 * In the running processes. What is desired stands in an annotation of the owner (its metadata, not its template: nothing restarts), from
 * where it is spread to the pods; the agents set it and tell in the policy's status. See docs/decisions/0018-live-in-the-cluster.md.
 */
import {
  type ActionRecord,
  ANNOTATION_DESIRED,
  type ContainerState,
  desiredText,
  LESS_MEMORY,
  type LiveKnob,
  type LiveState,
  NOT_RESTORED,
  quantityBytes,
  REMEDY_FIELD_MANAGER,
  type RobotGCPolicy,
  type Setting,
  withChange,
} from '../../../api/index.ts';
import { get, type Pod, patchMerge, type Transport } from '../../../kube/index.ts';
import { gogcOfSetting } from '../../../model/index.ts';
import type { Fence } from '../../fence.ts';
import { desiredOf, hasMemoryFor } from '../../workloads/desired.ts';
import { workloadResource } from '../../workloads/resources.ts';
import type { FoundWorkload } from '../workload.ts';
import { refusalOf } from './refusal.ts';
import type { ActingWay, Outcome, Progress } from './way.ts';

/** An agent that is there answers within seconds; after so long without any news it is not. */
const SILENCE_LIMIT_MS = 60_000;
/** What is written waits for the next cycle, which Go forces after two minutes (runtime/proc.go, `forcegcperiod`); and a minute more. */
const CYCLE_LIMIT_MS = 3 * 60_000;

export const live: ActingWay = {
  progress: (view, workload, action, now) => liveProgress({ ...view, workload }, action, now),
  apply: ({ transport, incident: { metadata, spec }, policy, fence }, action, signal) =>
    setLive(
      transport,
      { namespace: metadata.namespace, policy: spec.policy.uid, actions: policy?.spec.actions, fence },
      action,
      signal,
    ),
  carries: (pod, action, policy) =>
    pod.metadata.deletionTimestamp === '' && isInEffect(stateOf(policy, pod, action.container)?.live, action),
};

interface LiveView {
  /** Whose status says what the agents did. */
  readonly policy: RobotGCPolicy | undefined;
  readonly workload: FoundWorkload;
  readonly watchedSinceMs: number;
}

/** See `ActingWay`; of what continuous tuning does as well. */
export function liveProgress(
  { policy, workload, watchedSinceMs }: LiveView,
  action: ActionRecord,
  now: number,
): Progress {
  const { container, before, after } = action;
  const change = liveKnob(action) && workload.desired[container]?.[liveKnob(action) ?? 'GOGC'];
  // No wish is the wish for what was there before the first change.
  const isBack = action.kind === 'Rollback' && !change;
  // A wish in the name of a policy that is gone was taken away by the operator itself.
  if (!policy && !change && !isBack && action.result !== 'Pending')
    return { type: 'underway', reason: 'withdrawn with its policy' };
  if (!isBack && change?.to !== after) {
    const isBefore = action.result === 'Pending' && (change ? change.to === before : action.kind !== 'Rollback');
    if (isBefore) return { type: 'before' };
    return {
      type: 'meanwhile',
      sentence: `Someone changed what ${workload.owner.name} shall have set live meanwhile.`,
    };
  }
  const running = workload.pods.filter(
    ({ metadata, status }) => metadata.deletionTimestamp === '' && status.phase === 'Running',
  );
  // A pod with less memory than it was worked out for keeps its own: it came from the template after a resize.
  const pods = running.filter((pod) => hasMemoryFor(pod, container, workload.desired[container]));
  if (running.length > 0 && pods.length === 0)
    return { type: 'refused', why: 'every pod has less memory than it was worked out for' };
  const states = pods.map((pod) => stateOf(policy, pod, container));
  const settled = states.filter((state) => (isBack ? isReverted(state?.live) : isInEffect(state?.live, action)));
  if (states.length > 0 && settled.length === states.length) return { type: 'settled' };
  const why =
    states.map(refusal).find((sentence) => sentence !== undefined) ??
    silence(states, now - Math.max(Date.parse(action.at), watchedSinceMs), now);
  if (why === undefined) {
    return { type: 'underway', reason: `set in ${settled.length} of ${states.length} pods` };
  }
  return { type: settled.length === 0 ? 'refused' : 'failed', why };
}

function stateOf(policy: RobotGCPolicy | undefined, pod: Pod, container: string): ContainerState | undefined {
  return policy?.status.containers?.find((each) => each.pod === pod.metadata.name && each.container === container);
}

function isInEffect(state: LiveState | undefined, { knob, after }: Pick<ActionRecord, 'knob' | 'after'>): boolean {
  if (state?.state !== 'Applied') return false;
  return knob === 'GOGC' ? state.gogc === gogcOfSetting(after) : state.memoryLimitBytes === bytesOf(after);
}

function bytesOf(setting: Setting): number | undefined {
  return setting === null ? undefined : (quantityBytes(setting) ?? undefined);
}

/** Also where nothing had been set in it, or nothing of ours stands: refused is refused in all of its processes. */
function isReverted(state: LiveState | undefined): boolean {
  return (
    state === undefined || state.state === 'Reverted' || (state.state === 'Refused' && state.reason !== NOT_RESTORED)
  );
}

/** By a pod that has the memory for what is wished now: that it had too little is its answer to the wish before. */
function refusal(state: ContainerState | undefined): string | undefined {
  if (state?.state === 'Refused') return state.message ?? state.reason;
  if (state?.live?.state !== 'Refused' || state.live.reason === LESS_MEMORY) return undefined;
  return state.live.message ?? state.live.reason;
}

function silence(states: readonly (ContainerState | undefined)[], waitedMs: number, now: number): string | undefined {
  const news = states.flatMap((state) => (state?.live ? [now - Date.parse(state.live.at)] : []));
  const silentMs = Math.min(waitedMs, ...news);
  const waiting = states.find((state) => state?.live?.state === 'Pending')?.live;
  const isWritten = waiting !== undefined;
  const limitMs = isWritten ? CYCLE_LIMIT_MS : SILENCE_LIMIT_MS;
  if (silentMs <= limitMs) return undefined;
  if (waiting?.message !== undefined) return `${waiting.message}, for ${limitMs / 1000} s`;
  return isWritten
    ? `it is written, and no cycle has gone by it for ${limitMs / 1000} s`
    : `no agent has taken it up for ${limitMs / 1000} s; read the log of the agent on the pod's node`;
}

/** In whose name it is set. */
export interface LiveFor {
  readonly namespace: string;
  /** Uid of the policy. */
  readonly policy: string;
  /** What it says; undefined: it was deleted, and this is a way back. */
  readonly actions: RobotGCPolicy['spec']['actions'] | undefined;
  readonly fence: Fence;
}

export async function setLive(
  transport: Transport,
  { namespace, policy, actions, fence }: LiveFor,
  action: ActionRecord,
  signal: AbortSignal,
): Promise<Outcome> {
  const { owner, container, before: from, after: to, underBytes } = action;
  const knob = liveKnob(action);
  const resource = workloadResource(owner);
  if (!knob || !resource)
    return { type: 'refused', message: `Live cannot change ${action.knob} of ${owner.kind} ${owner.name}` };
  const ref = { namespace, name: owner.name };
  try {
    const { metadata } = await get(transport, resource, ref, { signal });
    const standing = desiredOf(metadata);
    // A way back that was gone already, before a crash.
    const isDone = action.kind === 'Rollback' && !standing[container]?.[knob];
    const change = {
      ...{ policy, knob, from, to, underBytes: underBytes?.after, stays: action.kind !== 'Rollback' },
      onDelete: actions?.liveBy === 'Program' ? actions.onDelete : undefined,
    };
    const text = desiredText(isDone ? standing : withChange(standing, container, change));
    if (text !== (metadata.annotations[ANNOTATION_DESIRED] ?? null)) {
      await fence(signal);
      const { resourceVersion } = metadata;
      // With the uid, a workload made anew under the same name is refused; with the version, nobody's change meanwhile is lost.
      const patch = { metadata: { uid: owner.uid, resourceVersion, annotations: { [ANNOTATION_DESIRED]: text } } };
      await patchMerge(transport, resource, ref, patch, { fieldManager: REMEDY_FIELD_MANAGER, signal });
    }
    return { type: 'applied', previousManagers: [] };
  } catch (error) {
    return refusalOf(error);
  }
}

function liveKnob({ knob }: Pick<ActionRecord, 'knob'>): LiveKnob | undefined {
  return knob === 'GOGC' || knob === 'GOMEMLIMIT' ? knob : undefined;
}
