/** What the operator needs to know of the workload behind a pod. Pure. */
import { ANNOTATION_PAUSED, type Desired, type Knob, type Owner, quantityBytes } from '../../api/index.ts';
import type { Pod, Workload } from '../../kube/index.ts';
import type { KnobSetting } from '../../remedy/index.ts';
import { desiredOf } from '../workloads/desired.ts';
import type { Neighbours } from '../workloads/neighbours.ts';
import { type RolloutState, rolloutState } from '../workloads/rollout-state.ts';
import { requestFollows, settingsOf, templateContainer } from '../workloads/settings.ts';

export type WorkloadView =
  | {
      readonly type: 'found';
      readonly owner: Owner;
      readonly container: string;
      /** Of the container in the pod template. */
      readonly settings: Readonly<Record<Knob, KnobSetting>>;
      /** Its memory request equals its limit there. */
      readonly requestFollows: boolean;
      readonly memoryLimitBytes: number | null;
      readonly rollout: RolloutState;
      readonly paused: boolean;
      /** What Live shall set in the processes of its pods. */
      readonly desired: Desired;
      readonly object: Workload;
      /** All that it made, old and new. */
      readonly pods: readonly Pod[];
      /** Read while a plan may be made. */
      readonly neighbours: Neighbours;
    }
  | { readonly type: 'unsupported' | 'gone'; readonly message: string };

export type FoundWorkload = Extract<WorkloadView, { type: 'found' }>;

/** @param container name of the container under watch; it must be one of the template's. */
export function viewWorkload(
  object: Workload,
  container: string,
  { pods, neighbours }: Pick<FoundWorkload, 'pods' | 'neighbours'>,
): WorkloadView {
  const { kind, metadata } = object;
  const found = templateContainer(object, container);
  if (!found) return { type: 'gone', message: `${kind} ${metadata.name} has no container ${container} any more` };
  const settings = settingsOf(found);
  const limit = settings.MemoryLimit.setting;
  return {
    type: 'found',
    owner: { apiVersion: 'apps/v1', kind, name: metadata.name, uid: metadata.uid },
    container,
    settings,
    requestFollows: requestFollows(found),
    memoryLimitBytes: (limit && quantityBytes(limit)) || null,
    rollout: rolloutState(object),
    paused: metadata.annotations[ANNOTATION_PAUSED] === 'true',
    desired: desiredOf(metadata),
    object,
    pods,
    neighbours,
  };
}
