/**
 * The way up from an incident to its workload, read from the API server. For what the caches do not have: it may be gone, or too new for a
 * watch that is late, and an incident is not given up for the latter.
 */
import type { Owner, RobotGCIncident } from '../../api/index.ts';
import { controllerOf, find, pods, replicaSets, type Transport, type Workload } from '../../kube/index.ts';
import { workloadResource } from '../workloads/resources.ts';

export async function ownerByServer(
  transport: Transport,
  { metadata: { namespace }, spec, status }: RobotGCIncident,
  signal: AbortSignal,
): Promise<Workload | undefined> {
  const owner = status.actions?.at(-1)?.owner ?? (await ownerOfPod(transport, namespace, spec.pod, signal));
  const resource = owner && workloadResource(owner);
  const workload = resource && (await find(transport, resource, { namespace, name: owner.name }, { signal }));
  return workload?.metadata.uid === owner?.uid ? workload : undefined;
}

async function ownerOfPod(
  transport: Transport,
  namespace: string,
  { name, uid }: RobotGCIncident['spec']['pod'],
  signal: AbortSignal,
): Promise<Owner | undefined> {
  const pod = await find(transport, pods, { namespace, name }, { signal });
  const direct = pod?.metadata.uid === uid ? controllerOf(pod.metadata) : undefined;
  if (direct?.kind !== 'ReplicaSet') return direct;
  const set = await find(transport, replicaSets, { namespace, name: direct.name }, { signal });
  return set?.metadata.uid === direct.uid ? controllerOf(set.metadata) : undefined;
}
