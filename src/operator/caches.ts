/** What the operator knows of the cluster: one watch a kind, projected to what is needed. */
import type { RobotGCIncident, RobotGCPolicy } from '../api/index.ts';
import {
  controllerOf,
  daemonSets,
  deployments,
  incidents,
  type Log,
  type Pod,
  pods,
  policies,
  Reflector,
  type ReplicaSet,
  replicaSets,
  statefulSets,
  type Transport,
  type Workload,
} from '../kube/index.ts';

export interface Caches {
  readonly policies: Reflector<RobotGCPolicy>;
  readonly incidents: Reflector<RobotGCIncident>;
  readonly pods: Reflector<Pod>;
  readonly replicaSets: Reflector<ReplicaSet>;
  readonly deployments: Reflector<Workload>;
  readonly statefulSets: Reflector<Workload>;
  readonly daemonSets: Reflector<Workload>;
}

/** @param onUnread told of each policy that this version does not understand, by its key */
export function createCaches(transport: Transport, log: Log, onUnread?: (policyKey: string) => void): Caches {
  return {
    policies: new Reflector({ transport, resource: policies, log, ...(onUnread ? { onKeptOut: onUnread } : {}) }),
    incidents: new Reflector({
      transport,
      resource: incidents,
      log,
      indexers: { policy: (incident) => [`${incident.metadata.namespace}/${incident.spec.policy.name}`] },
    }),
    pods: new Reflector({ transport, resource: pods, log, indexers: { controller: byController } }),
    replicaSets: new Reflector({ transport, resource: replicaSets, log, indexers: { controller: byController } }),
    deployments: new Reflector({ transport, resource: deployments, log }),
    statefulSets: new Reflector({ transport, resource: statefulSets, log }),
    daemonSets: new Reflector({ transport, resource: daemonSets, log }),
  };
}

/** Index by the uid of the controlling owner: from a workload down to its pods. */
function byController(object: Pod | ReplicaSet): string[] {
  const owner = controllerOf(object.metadata);
  return owner ? [owner.uid] : [];
}
