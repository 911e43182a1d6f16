/** What nodes, quotas and limit ranges leave for a resize, in the terms of `remedy`. Pure. */
import { quantityBytes } from '../../api/index.ts';
import type { LimitRange, Node, Pod, ResourceQuota } from '../../kube/index.ts';
import type { Cap, Room } from '../../remedy/index.ts';

export interface Surroundings {
  /** Those on which pods of the workload run. */
  readonly nodes: readonly Node[];
  /** Of the workload's namespace. */
  readonly quotas: readonly ResourceQuota[];
  readonly limitRanges: readonly LimitRange[];
}

/** @param pods of the whole cluster: those on a node share its room */
export function roomsOf({ nodes, quotas }: Surroundings, pods: readonly Pod[]): Room[] {
  return [...nodes.flatMap((node) => roomOfNode(node, pods)), ...quotas.flatMap(roomsOfQuota)];
}

export function capsOf({ nodes, limitRanges }: Surroundings): Cap[] {
  const ofNodes = nodes.map(({ metadata, status }) => ({
    name: `node ${metadata.name}`,
    node: metadata.name,
    maxBytes: quantityBytes(status.allocatable.memory ?? ''),
  }));
  return [...ofNodes, ...limitRanges.flatMap(capsOfRange)];
}

/** As the scheduler and the kubelet count: what is requested, not what is used. */
function roomOfNode({ metadata, status }: Node, pods: readonly Pod[]): Room[] {
  const allocatable = quantityBytes(status.allocatable.memory ?? '');
  if (allocatable === undefined) return [];
  const requested = pods
    .filter((pod) => pod.spec.nodeName === metadata.name && !isOver(pod))
    .reduce((sum, pod) => sum + requestedMemory(pod), 0);
  const { name } = metadata;
  return [{ name: `node ${name}`, of: 'requests', freeBytes: allocatable - requested, node: name }];
}

function isOver({ status }: Pod): boolean {
  return status.phase === 'Succeeded' || status.phase === 'Failed';
}

/** Containers and sidecars run together; other init containers one after the other, before. */
function requestedMemory({ spec }: Pod): number {
  const bytes = ({ resources }: Pod['spec']['containers'][number]) =>
    quantityBytes(resources.requests.memory ?? '') ?? 0;
  const sidecars = spec.initContainers.filter(({ restartPolicy }) => restartPolicy === 'Always');
  const together = [...spec.containers, ...sidecars].reduce((sum, each) => sum + bytes(each), 0);
  const ofPod = quantityBytes(spec.resources.requests.memory ?? '') ?? 0;
  return Math.max(together, ofPod, ...spec.initContainers.map(bytes));
}

const QUOTAS: Readonly<Record<string, Room['of']>> = {
  'limits.memory': 'limits',
  'requests.memory': 'requests',
  memory: 'requests',
};

/** One with scopes holds for some pods only: the API server knows which, and refuses. */
function roomsOfQuota({ metadata, spec, status }: ResourceQuota): Room[] {
  if (spec.scopes.length > 0 || spec.scopeSelector) return [];
  return Object.entries(QUOTAS).flatMap(([resource, of]): Room[] => {
    const hard = quantityBytes(status.hard[resource] ?? '');
    if (hard === undefined) return [];
    const used = quantityBytes(status.used[resource] ?? '') ?? 0;
    return [{ name: `ResourceQuota ${metadata.name} (${resource})`, of, freeBytes: hard - used }];
  });
}

function capsOfRange({ metadata, spec }: LimitRange): Cap[] {
  return spec.limits
    .filter(({ type }) => type === 'Container')
    .map(({ min, max, maxLimitRequestRatio }) => ({
      name: `LimitRange ${metadata.name}`,
      maxBytes: quantityBytes(max.memory ?? ''),
      minBytes: quantityBytes(min.memory ?? ''),
      maxRatio: quantityBytes(maxLimitRequestRatio.memory ?? ''),
    }));
}
