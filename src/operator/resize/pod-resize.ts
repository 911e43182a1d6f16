/** How far the resize of one pod's container is, from what the API server and the kubelet say of the pod. Pure. */
import { quantityBytes, type Setting } from '../../api/index.ts';
import type { Pod } from '../../kube/index.ts';

export type PodResize =
  | { readonly state: 'before' }
  | { readonly state: 'underway'; readonly sentence: string }
  | { readonly state: 'settled' }
  /** The kubelet will not do it, however long one waits. */
  | { readonly state: 'infeasible'; readonly sentence: string }
  /** Neither the value before nor the one after: someone else set it. */
  | { readonly state: 'other'; readonly limit: Setting };

export interface LimitChange {
  readonly before: Setting;
  readonly after: Setting;
  /** Of a way back over several steps: what a pod has that a later step did not reach. */
  readonly between?: readonly Setting[];
}

export function podResize(pod: Pod, container: string, change: LimitChange): PodResize {
  const limit = limitOf(pod, container);
  if (!sameAmount(limit, change.after)) {
    const isOurs = [change.before, ...(change.between ?? [])].some((each) => sameAmount(limit, each));
    return isOurs ? { state: 'before' } : { state: 'other', limit };
  }
  const pending = current(pod, 'PodResizePending');
  const where = `pod ${pod.metadata.name}`;
  if (pending?.reason === 'Infeasible')
    return { state: 'infeasible', sentence: `${where}: ${pending.message || 'the node cannot do it'}` };
  if (pending)
    return { state: 'underway', sentence: `${where} waits for its node (${pending.reason}): ${pending.message}` };
  const status = pod.status.containerStatuses.find(({ name }) => name === container);
  const inProgress = current(pod, 'PodResizeInProgress');
  if (sameAmount(status?.resources.limits.memory ?? null, change.after) && !inProgress) return { state: 'settled' };
  return { state: 'underway', sentence: `${where}: ${inProgress?.message || 'the kubelet has yet to resize it'}` };
}

export function running(pods: readonly Pod[]): Pod[] {
  return pods.filter(({ metadata, status }) => metadata.deletionTimestamp === '' && status.phase === 'Running');
}

/** As its spec has it. */
export function limitOf({ spec }: Pod, container: string): Setting {
  return spec.containers.find(({ name }) => name === container)?.resources.limits.memory ?? null;
}

/** A condition of an earlier resize says nothing of this one. */
function current({ metadata, status }: Pod, type: string) {
  return status.conditions.find(
    (each) =>
      each.type === type &&
      each.status === 'True' &&
      (each.observedGeneration === 0 || each.observedGeneration >= metadata.generation),
  );
}

function sameAmount(one: Setting, other: Setting): boolean {
  if (one === null || other === null) return one === other;
  return one === other || (quantityBytes(one) !== undefined && quantityBytes(one) === quantityBytes(other));
}
