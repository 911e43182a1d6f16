/** Keeps this node's entries of each policy's `status.containers` true, under a field manager of this node's own. */
import { AGENT_FIELD_MANAGER, type ContainerState, type RobotGCPolicy } from '../../api/index.ts';
import {
  apply,
  type Controller,
  isKubeError,
  KeyedQueue,
  policies,
  type Store,
  splitKey,
  type Transport,
} from '../../kube/index.ts';
import { labelValue } from '../incidents/naming.ts';

/** Changes of one policy are gathered for so long: a rollout of a hundred pods is not a hundred writes. */
const gatherMs = 500;

export interface StatusControllerOptions {
  readonly transport: Transport;
  readonly node: string;
  readonly store: Pick<Store<RobotGCPolicy>, 'get'>;
  readonly desired: (policyKey: string) => ContainerState[];
}

export class ContainerStatusController implements Controller {
  readonly name = 'container-status';
  readonly leaderOnly = false;
  readonly queue = new KeyedQueue({ name: 'container-status' });
  readonly #options: StatusControllerOptions;
  /** What was written last, as JSON: an apply that changes nothing is not sent. */
  readonly #written = new Map<string, { readonly uid: string; readonly text: string }>();

  constructor(options: StatusControllerOptions) {
    this.#options = options;
  }

  changed(policyKey: string): void {
    this.queue.addAfter(policyKey, gatherMs);
  }

  async reconcile(policyKey: string, signal: AbortSignal): Promise<void> {
    const { store, transport, node, desired } = this.#options;
    const policy = store.get(policyKey);
    if (!policy) {
      this.#written.delete(policyKey);
      return;
    }
    const containers = desired(policyKey);
    const text = JSON.stringify(containers);
    const { uid } = policy.metadata;
    const known = this.#written.get(policyKey);
    const written = known?.uid === uid ? known.text : this.#before(policy);
    if (text === written) return;
    const { namespace, name } = splitKey(policyKey);
    try {
      // Entries are keyed by pod and container: those of other nodes are other managers' and stay.
      await apply(
        transport,
        policies,
        { metadata: { namespace, name }, status: { containers } },
        { fieldManager: fieldManagerOf(node), subresource: 'status', force: true, signal },
      );
    } catch (error) {
      if (isKubeError(error, 'NotFound')) return;
      throw error;
    }
    this.#written.set(policyKey, { uid, text });
  }

  /** An agent that has just started only needs to write where its predecessor left entries, or where there are new ones. */
  #before(policy: RobotGCPolicy): string | undefined {
    const ofNode = (policy.status.containers ?? []).some((state) => state.node === this.#options.node);
    return ofNode ? undefined : '[]';
  }
}

/** A field manager's name may have 128 characters, a node's more. */
function fieldManagerOf(node: string): string {
  return `${AGENT_FIELD_MANAGER}-${labelValue(node)}`;
}
