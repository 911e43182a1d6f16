/** Which containers of this node each policy speaks of. Pure: policies and pods in, list out. */
import { matchesSelector, type RobotGCPolicy } from '../../api/index.ts';
import { type ContainerStatus, keyOf, type Pod } from '../../kube/index.ts';
import { deriveThresholds, strictest } from '../../model/index.ts';
import type { Target } from '../sampler/index.ts';
import { activityOf } from './activity-source.ts';

/** A running container and every policy that selects it. */
export interface Selected {
  readonly target: Target;
  readonly pod: Pod;
  readonly policies: readonly RobotGCPolicy[];
}

/** A container that a policy selects but that does not run yet (or not any more, before its restart). */
export interface NotRunning {
  readonly policyKey: string;
  readonly pod: string;
  readonly container: string;
  readonly reason: string;
  readonly message: string;
}

export interface Watchlist {
  /** By container id. */
  readonly selected: ReadonlyMap<string, Selected>;
  readonly notRunning: readonly NotRunning[];
}

export function watchlist(policies: readonly RobotGCPolicy[], pods: readonly Pod[]): Watchlist {
  const selected = new Map<string, { target: Target; pod: Pod; policies: RobotGCPolicy[] }>();
  const notRunning: NotRunning[] = [];
  for (const policy of inOrder(policies)) {
    const limits = deriveThresholds(policy.spec);
    for (const pod of pods) {
      if (!concerns(policy, pod)) continue;
      for (const status of statusesOf(policy, pod)) {
        const id = containerId(status);
        if (!status.state.running || id === '') {
          notRunning.push(waiting(keyOf(policy.metadata), pod, status));
          continue;
        }
        const known = selected.get(id);
        const target = known?.target ?? targetOf(policy, pod, status.name, id);
        selected.set(id, {
          target: { ...target, pressureLimits: strictest(limits, known?.target.pressureLimits) },
          pod,
          policies: [...(known?.policies ?? []), policy],
        });
      }
    }
  }
  return { selected, notRunning };
}

/** The bare id of a container, without its runtime's scheme; empty before the first start. */
export function containerId({ containerID }: Pick<ContainerStatus, 'containerID'>): string {
  return containerID.replace(/^[a-z0-9+.-]+:\/\//, '');
}

function concerns(policy: RobotGCPolicy, pod: Pod): boolean {
  const { metadata, status } = pod;
  if (policy.metadata.deletionTimestamp !== undefined || metadata.namespace !== policy.metadata.namespace) return false;
  // A pod on its way out serves nobody any more: its last seconds are no breach.
  if (metadata.deletionTimestamp !== '' || status.phase === 'Succeeded' || status.phase === 'Failed') return false;
  return matchesSelector(policy.spec.selector, metadata.labels);
}

/** Containers, and init containers that stay (sidecars). */
function statusesOf({ spec }: RobotGCPolicy, pod: Pod): ContainerStatus[] {
  const sidecars = new Set(pod.spec.initContainers.filter((c) => c.restartPolicy === 'Always').map((c) => c.name));
  const statuses = [
    ...pod.status.containerStatuses,
    ...pod.status.initContainerStatuses.filter((status) => sidecars.has(status.name)),
  ];
  return statuses.filter((status) => spec.container === undefined || status.name === spec.container);
}

function targetOf(policy: RobotGCPolicy, pod: Pod, container: string, id: string): Target {
  const { namespace, name, uid } = pod.metadata;
  return { key: id, pod: { namespace, name, uid }, container, containerId: id, activity: activityOf(policy, pod) };
}

function waiting(policyKey: string, pod: Pod, status: ContainerStatus): NotRunning {
  const { waiting: wait, terminated } = status.state;
  const reason = wait?.reason || terminated?.reason || 'NotRunning';
  const message =
    wait?.message || (terminated ? `ended with exit code ${terminated.exitCode}` : 'the container does not run yet');
  return { policyKey, pod: pod.metadata.name, container: status.name, reason, message };
}

/** By key, so that of several policies always the same one names the source of activity. */
function inOrder(policies: readonly RobotGCPolicy[]): RobotGCPolicy[] {
  return policies.toSorted((a, b) => (keyOf(a.metadata) < keyOf(b.metadata) ? -1 : 1));
}
