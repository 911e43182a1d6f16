/** Names and labels of an incident. Pure. */
import { createHash } from 'node:crypto';
import { controllerOf, type Pod } from '../../kube/index.ts';

/** The longest name of an object. */
const maxName = 253;
const maxLabel = 63;

/** The same breach gives the same name, so that a repeated create cannot make a second incident. */
export function incidentName(policy: string, containerId: string, firstBreachAt: string): string {
  const tail = digest(`${containerId} ${firstBreachAt}`);
  return `${policy.slice(0, maxName - tail.length - 1).replace(/[^a-z0-9]+$/, '')}-${tail}`;
}

/** A name as a label's value: one that is too long is cut, and told apart from others cut alike by its digest. */
export function labelValue(name: string): string {
  if (name.length <= maxLabel) return name;
  const tail = digest(name);
  return `${name.slice(0, maxLabel - tail.length - 1).replace(/[^A-Za-z0-9]+$/, '')}-${tail}`;
}

/**
 * What the pod belongs to, the same for all pods of a Deployment and across its rollouts: the ReplicaSet's name without the
 * template's hash. A pod that nobody controls is a workload of its own.
 */
export function workloadOf(pod: Pod): string {
  const owner = controllerOf(pod.metadata);
  if (!owner) return labelValue(`pod.${pod.metadata.name}`);
  const hash = pod.metadata.labels['pod-template-hash'];
  if (owner.kind === 'ReplicaSet' && hash !== undefined && owner.name.endsWith(`-${hash}`)) {
    return labelValue(`deployment.${owner.name.slice(0, -hash.length - 1)}`);
  }
  return labelValue(`${owner.kind.toLowerCase()}.${owner.name}`);
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 10);
}
