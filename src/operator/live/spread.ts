/** From what a workload's owner desires to what its pods are told, so many at once as the policy allows. Pure. */
import {
  ANNOTATION_DESIRED,
  type Desired,
  type DesiredSettings,
  desiredText,
  isUnreadable,
  parseDesired,
  type RobotGCPolicy,
} from '../../api/index.ts';
import type { Pod } from '../../kube/index.ts';
import { nextBatch, type PodProgress } from '../../remedy/index.ts';
import { hasMemoryFor } from '../workloads/desired.ts';

export interface SpreadInput {
  readonly owner: Desired;
  readonly pods: readonly Pod[];
  /** Of the namespace, as far as they exist. */
  readonly policies: readonly RobotGCPolicy[];
  /** Kill switch: nothing is begun; what is withdrawn is withdrawn all the same. */
  readonly observeOnly: boolean;
}

export interface PodAnnotation {
  readonly pod: Pod;
  /** Null takes the annotation away. */
  readonly text: string | null;
}

/**
 * What of the owner's wishes is left when those go whose policy is gone, as their policies have it by now.
 * @param isPartial there are others that this version does not understand: any wish that is of none may be of one of them
 */
export function ofLivingPolicies(owner: Desired, policies: readonly RobotGCPolicy[], isPartial = false): Desired {
  const isLiving = ({ policy }: DesiredSettings) => isPartial || policyOf(policy, policies) !== undefined;
  return asSaidNow(Object.fromEntries(Object.entries(owner).filter(([, wish]) => isLiving(wish))), policies);
}

/** What becomes of a wish where programs follow it: what its policy says now, and what it said last once it is gone. */
function asSaidNow(desired: Desired, policies: readonly RobotGCPolicy[]): Desired {
  return Object.fromEntries(
    Object.entries(desired).map(([container, wish]) => {
      const actions = policyOf(wish.policy, policies)?.spec.actions;
      if (!actions) return [container, wish];
      const { policy, onDelete: _said, ...settings } = wish;
      const onDelete = actions.liveBy === 'Program' ? { onDelete: actions.onDelete } : {};
      return [container, { policy, ...onDelete, ...settings }];
    }),
  );
}

/**
 * A pod's wish in the name of a policy that is gone stays: its agent knows whether the policy said to revert or to keep, and a wish that was
 * taken away would look like a withdrawal to it. A program that follows a file knows no policy, so there the wish itself says what becomes of it:
 * that is no setting, and waits for no turn.
 */
export function spread({ owner, pods, policies, observeOnly }: SpreadInput): PodAnnotation[] {
  const staying = pods.filter(({ metadata }) => metadata.deletionTimestamp === '');
  const told = new Map(staying.map((pod) => [pod.metadata.uid, asSaidNow(desiredOfPod(pod), policies)]));
  const wanted = new Map(staying.map((pod) => [pod.metadata.uid, { ...told.get(pod.metadata.uid) }]));
  for (const [container, wish] of Object.entries(owner)) {
    const policy = policyOf(wish.policy, policies);
    if (!policy || observeOnly || policy.spec.actions.mode !== 'Auto') continue;
    // An agent would refuse it there, a program follows what its file says.
    const mayKnow = (pod: Pod) => policy.spec.actions.liveBy === 'Agent' || hasMemoryFor(pod, container, wish);
    for (const pod of staying) if (!mayKnow(pod)) delete wanted.get(pod.metadata.uid)?.[container];
    const progress = staying
      .filter(mayKnow)
      .map((pod) => progressOf(pod, container, wish, told.get(pod.metadata.uid), policy));
    for (const uid of nextBatch(progress, policy.spec.actions.blastRadius).take) {
      const desired = wanted.get(uid);
      if (desired) desired[container] = wish;
    }
  }
  for (const desired of wanted.values()) {
    for (const [container, { policy, onDelete }] of Object.entries(desired)) {
      const isWithdrawn = policyOf(policy, policies) !== undefined || onDelete === 'Revert';
      if (!Object.hasOwn(owner, container) && isWithdrawn) delete desired[container];
    }
  }
  return staying.flatMap((pod) => {
    const text = desiredText(wanted.get(pod.metadata.uid) ?? {});
    return text === (pod.metadata.annotations[ANNOTATION_DESIRED] ?? null) ? [] : [{ pod, text }];
  });
}

function policyOf(uid: string, policies: readonly RobotGCPolicy[]): RobotGCPolicy | undefined {
  return policies.find(({ metadata }) => metadata.uid === uid && metadata.deletionTimestamp === undefined);
}

/** What cannot be read is replaced. */
function desiredOfPod({ metadata }: Pod): Desired {
  const desired = parseDesired(metadata.annotations[ANNOTATION_DESIRED]);
  return isUnreadable(desired) ? {} : desired;
}

function progressOf(
  pod: Pod,
  container: string,
  wish: DesiredSettings,
  told: Desired | undefined,
  policy: RobotGCPolicy,
): PodProgress {
  const { uid, name } = pod.metadata;
  const ready = pod.status.conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
  if (desiredText({ container: wish }) !== desiredText(told?.[container] ? { container: told[container] } : {}))
    return { uid, ready, change: 'before' };
  const state = policy.status.containers?.find((each) => each.pod === name && each.container === container);
  const isAnswered = state?.live?.state === 'Applied' || state?.live?.state === 'Refused' || state?.state === 'Refused';
  return { uid, ready, change: isAnswered ? 'settled' : 'underway' };
}
