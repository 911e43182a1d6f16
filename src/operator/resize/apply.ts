/** The one write: a container's memory limit, and the request that follows it, by the pod's `resize` subresource. */
import { quantityBytes, REMEDY_FIELD_MANAGER } from '../../api/index.ts';
import {
  apply,
  type Container,
  isAnswer,
  isKubeError,
  type ObjectBody,
  type Pod,
  pods,
  type Transport,
} from '../../kube/index.ts';
import { requestUnder } from '../../remedy/index.ts';

export type ResizeOutcome =
  | { readonly type: 'resized'; readonly previousManagers: readonly string[] }
  /** `conflictsWith`: field managers that own the limit. */
  | { readonly type: 'refused'; readonly message: string; readonly conflictsWith?: readonly string[] };

/** Who wrote the pod as its workload's template says: its claim is on the beginning, not on what comes after. */
const CREATORS: ReadonlySet<string> = new Set(['kube-controller-manager']);

export interface PodLimit {
  readonly container: string;
  /** A quantity; as it stands here it is written. */
  readonly limit: string;
}

/**
 * By server-side apply: the server remembers whose the limit is. First without force, so that the claim of another manager, such as a
 * vertical autoscaler that resizes in place, shows; that of the controller which made the pod is no obstacle.
 *
 * @param takeOver also the claims of others
 * @throws KubeError for what another try may cure
 */
export async function resizePod(
  transport: Transport,
  pod: Pod,
  change: PodLimit,
  { takeOver, signal }: { readonly takeOver: boolean; readonly signal: AbortSignal },
): Promise<ResizeOutcome> {
  const object = resizeOf(pod, change);
  const options = { fieldManager: REMEDY_FIELD_MANAGER, subresource: 'resize', signal };
  try {
    await apply(transport, pods, object, options);
    return { type: 'resized', previousManagers: [] };
  } catch (error) {
    if (!isKubeError(error, 'Conflict') || error.conflicts.length === 0) return final(error, pod);
    const managers = [...new Set(error.conflicts.map(({ manager }) => manager))];
    const others = managers.filter((manager) => !CREATORS.has(manager));
    if (others.length > 0 && !takeOver) {
      return {
        type: 'refused',
        message: `The memory limit of pod ${pod.metadata.name} is owned by ${others.join(', ')}; set actions.fieldConflicts: TakeOver to let robotgc own it`,
        conflictsWith: others,
      };
    }
    try {
      await apply(transport, pods, object, { ...options, force: true });
      return { type: 'resized', previousManagers: others };
    } catch (again) {
      return final(again, pod);
    }
  }
}

/** A request is named whenever there is one: server-side apply gives up, and removes, what it named before and does not name again. */
function resizeOf({ metadata, spec }: Pod, { container, limit }: PodLimit): ObjectBody {
  const { limits, requests } = spec.containers.find(({ name }) => name === container)?.resources ?? UNSET;
  const before = { limitBytes: bytesOf(limits.memory), requestBytes: bytesOf(requests.memory) };
  const request = requestUnder(before, quantityBytes(limit) ?? 0);
  const asText = request === before.requestBytes ? requests.memory : limit;
  return {
    // With the uid, a pod made anew under the same name is refused instead of changed; with the version, one that was changed meanwhile.
    metadata: {
      ...{ name: metadata.name, namespace: metadata.namespace, uid: metadata.uid },
      resourceVersion: metadata.resourceVersion,
    },
    spec: {
      containers: [
        {
          name: container,
          resources: { limits: { memory: limit }, ...(request === null ? {} : { requests: { memory: asText } }) },
        },
      ],
    },
  };
}
const UNSET: Container['resources'] = { limits: {}, requests: {} };

function bytesOf(text: string | undefined): number | null {
  return quantityBytes(text ?? '') ?? null;
}

/** What the server will refuse again is an answer (a quota, a changed QoS class); the rest is worth another try. */
function final(error: unknown, { metadata }: Pod): ResizeOutcome {
  if (isAnswer(error)) return { type: 'refused', message: `Pod ${metadata.name} was not resized: ${error.message}` };
  throw error;
}
