/** A breach as the object that is sent to the API server. Pure. */
import {
  API_VERSION,
  type IncidentSpec,
  LABEL_POD,
  LABEL_POLICY,
  LABEL_WORKLOAD,
  type RobotGCPolicy,
} from '../../api/index.ts';
import type { ObjectBody, Pod } from '../../kube/index.ts';
import type { Breach } from '../../model/index.ts';
import { incidentName, labelValue, workloadOf } from './naming.ts';

export interface Detection {
  readonly policy: RobotGCPolicy;
  readonly pod: Pod;
  readonly container: string;
  readonly containerId: string;
  readonly node: string;
  readonly breach: Breach;
  readonly detectedAt: Date;
}

export interface IncidentBody extends ObjectBody {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly ownerReferences: readonly object[];
  };
  readonly spec: IncidentSpec;
}

export function incidentOf({ policy, pod, container, containerId, node, breach, detectedAt }: Detection): IncidentBody {
  const { type: _, ...observed } = breach;
  const { name: policyName, uid, generation, namespace } = policy.metadata;
  return {
    metadata: {
      name: incidentName(policyName, containerId, breach.firstBreachAt),
      namespace,
      labels: {
        [LABEL_POLICY]: labelValue(policyName),
        [LABEL_POD]: labelValue(pod.metadata.name),
        [LABEL_WORKLOAD]: workloadOf(pod),
      },
      // Deleted with its policy; nothing waits for it.
      ownerReferences: [{ apiVersion: API_VERSION, kind: 'RobotGCPolicy', name: policyName, uid }],
    },
    spec: {
      policy: { name: policyName, uid, generation },
      pod: { name: pod.metadata.name, uid: pod.metadata.uid },
      container: { name: container, id: containerId },
      node,
      trigger: { ...observed, detectedAt: detectedAt.toISOString() },
    },
  };
}
