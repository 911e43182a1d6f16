/** What the operator needs to know of the workload behind a pod, and the one change it makes to it. Pure. */
import {
  ANNOTATION_CAUSE,
  ANNOTATION_PAUSED,
  ANNOTATION_PREVIOUS,
  type Owner,
  quantityBytes,
  type Setting,
} from '../../api/index.ts';
import type { ObjectBody, Pod, Workload } from '../../kube/index.ts';

export type Rollout = 'settled' | 'progressing' | 'failed';

export type WorkloadView =
  | {
      readonly type: 'found';
      readonly owner: Owner;
      readonly container: string;
      /** GOGC of the container in the pod template; `null` = not set there. */
      readonly gogc: Setting;
      /** GOGC comes from a ConfigMap or field: its value is not ours to overwrite. */
      readonly gogcFromRef: boolean;
      readonly memoryLimitBytes: number | null;
      readonly rollout: Rollout;
      readonly paused: boolean;
    }
  | { readonly type: 'unsupported' | 'gone'; readonly message: string };

/** @param container name of the container under watch; it must be one of the template's. */
export function viewDeployment(deployment: Workload, container: string): WorkloadView {
  const { metadata, spec } = deployment;
  const found = spec.template.spec.containers.find((c) => c.name === container);
  if (!found) {
    return { type: 'gone', message: `Deployment ${metadata.name} has no container ${container} any more` };
  }
  const gogc = found.env.findLast((variable) => variable.name === 'GOGC');
  const limit = found.resources.limits.memory;
  return {
    type: 'found',
    owner: { apiVersion: 'apps/v1', kind: 'Deployment', name: metadata.name, uid: metadata.uid },
    container,
    gogc: gogc && !gogc.fromRef ? gogc.value : null,
    gogcFromRef: gogc?.fromRef ?? false,
    memoryLimitBytes: (limit && quantityBytes(limit)) || null,
    rollout: rolloutOf(deployment),
    paused: metadata.annotations[ANNOTATION_PAUSED] === 'true',
  };
}

/** The rule of `kubectl rollout status`. */
export function rolloutOf({ metadata, spec, status }: Workload): Rollout {
  const progressing = status.conditions.find((c) => c.type === 'Progressing');
  const current = status.observedGeneration >= metadata.generation;
  if (current && progressing?.reason === 'ProgressDeadlineExceeded') return 'failed';
  const complete =
    current &&
    status.updatedReplicas >= spec.replicas &&
    status.replicas <= status.updatedReplicas &&
    status.availableReplicas >= status.updatedReplicas;
  return complete ? 'settled' : 'progressing';
}

/** Pods of the workload that run with the new setting: those whose signals judge it. */
export function podsWith(pods: readonly Pod[], container: string, gogc: Setting): Pod[] {
  return pods.filter((pod) => {
    if (pod.metadata.deletionTimestamp !== '') return false;
    const env = pod.spec.containers.find((c) => c.name === container)?.env ?? [];
    return (env.findLast((variable) => variable.name === 'GOGC')?.value ?? null) === gogc;
  });
}

/**
 * The object that server-side apply is given: nothing but the one variable and its reason, so that our field manager
 * owns nothing else. `null` leaves the variable out, by which apply removes what we had set.
 */
export function gogcApplication(
  owner: Owner,
  namespace: string,
  container: string,
  gogc: Setting,
  cause: { readonly incident: string; readonly previous: Setting },
): ObjectBody {
  return {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    metadata: {
      name: owner.name,
      namespace,
      // With the uid, a workload deleted and made anew under the same name is refused instead of changed.
      uid: owner.uid,
      annotations: {
        [ANNOTATION_CAUSE]: `RobotGCIncident/${cause.incident}`,
        [ANNOTATION_PREVIOUS]: JSON.stringify({ GOGC: cause.previous }),
      },
    },
    spec: {
      template: {
        spec: { containers: [{ name: container, ...(gogc === null ? {} : { env: [{ name: 'GOGC', value: gogc }] }) }] },
      },
    },
  };
}

/** Whether a conflict is over the one variable alone: only then may a policy's TakeOver force it. */
export function conflictIsOverGogcAlone(fields: readonly string[], container: string): boolean {
  const prefix = `.spec.template.spec.containers[name="${container}"].env[name="GOGC"]`;
  return fields.length > 0 && fields.every((field) => field.startsWith(prefix));
}
