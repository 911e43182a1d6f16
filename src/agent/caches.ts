/** What the agent knows of the cluster: every policy and incident, and the pods of its own node. */
import type { RobotGCIncident, RobotGCPolicy } from '../api/index.ts';
import { incidents, type Log, type Pod, pods, policies, Reflector, type Transport } from '../kube/index.ts';

export interface Caches {
  readonly policies: Reflector<RobotGCPolicy>;
  readonly incidents: Reflector<RobotGCIncident>;
  readonly pods: Reflector<Pod>;
}

export interface CachesOptions {
  readonly transport: Transport;
  readonly node: string;
  readonly log: Log;
  /** A policy that this version does not understand. */
  readonly onUnread: (policyKey: string, raw: unknown) => void;
}

export function createCaches({ transport, node, log, onUnread }: CachesOptions): Caches {
  return {
    policies: new Reflector({ transport, resource: policies, log, onKeptOut: onUnread }),
    incidents: new Reflector({ transport, resource: incidents, log, indexers: { policy: policyOf } }),
    pods: new Reflector({ transport, resource: pods, fieldSelector: `spec.nodeName=${node}`, log }),
  };
}

function policyOf(incident: RobotGCIncident): string[] {
  return [`${incident.metadata.namespace}/${incident.spec.policy.name}`];
}
