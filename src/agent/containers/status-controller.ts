/** Keeps this node's entries of each policy's `status.containers` and `.misunderstoodBy` true, under a field manager of this node's own. */
import { AGENT_FIELD_MANAGER, type ContainerState, type PolicyStatus, type RobotGCPolicy } from '../../api/index.ts';
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

/** Changes of one policy are gathered for so long after one was written: a rollout of a hundred pods is not a hundred writes. */
const gatherMs = 500;
/** The first of a while is soon told, with what comes along with it: an operator may wait for it. */
const soonMs = 20;

export interface StatusControllerOptions {
  readonly transport: Transport;
  readonly node: string;
  readonly store: Pick<Store<RobotGCPolicy>, 'get'>;
  readonly desired: (policyKey: string) => ContainerState[];
  /** Of a policy that is not in the store: why this agent does not understand it; null where that concerns none of its pods. Undefined: it is gone. */
  readonly refusal: (policyKey: string) => string | null | undefined;
}

export class ContainerStatusController implements Controller {
  readonly name = 'container-status';
  readonly leaderOnly = false;
  readonly queue = new KeyedQueue({ name: 'container-status' });
  readonly #options: StatusControllerOptions;
  /** What was written last, as JSON: an apply that changes nothing is not sent. */
  readonly #written = new Map<string, { readonly uid: string; readonly text: string; readonly atMs: number }>();

  constructor(options: StatusControllerOptions) {
    this.#options = options;
  }

  changed(policyKey: string): void {
    const { atMs = Number.NEGATIVE_INFINITY } = this.#written.get(policyKey) ?? {};
    this.queue.addAfter(policyKey, performance.now() - atMs < gatherMs ? gatherMs : soonMs);
  }

  async reconcile(policyKey: string, signal: AbortSignal): Promise<void> {
    const { store, desired, refusal } = this.#options;
    const policy = store.get(policyKey);
    const refused = policy ? undefined : refusal(policyKey);
    if (!policy && refused === undefined) {
      this.#written.delete(policyKey);
      return;
    }
    const part = policy ? { containers: desired(policyKey) } : this.#misunderstanding(refused ?? null);
    const text = JSON.stringify(part);
    const known = this.#written.get(policyKey);
    const uid = policy?.metadata.uid ?? known?.uid ?? '';
    const isKnown = known !== undefined && (known.uid === '' || known.uid === uid);
    if (text === (isKnown ? known.text : this.#before(policy))) return;
    if (await this.#write(policyKey, part, signal))
      this.#written.set(policyKey, { uid, text, atMs: performance.now() });
  }

  #misunderstanding(message: string | null): Pick<PolicyStatus, 'misunderstoodBy'> {
    return message === null ? {} : { misunderstoodBy: [{ node: this.#options.node, message }] };
  }

  /** @returns false when it is gone */
  async #write(policyKey: string, status: Partial<PolicyStatus>, signal: AbortSignal): Promise<boolean> {
    const { transport, node } = this.#options;
    const { namespace, name } = splitKey(policyKey);
    // Entries are keyed by pod and container, or by node: those of other nodes are other managers' and stay.
    const options = { fieldManager: fieldManagerOf(node), subresource: 'status', force: true, signal };
    try {
      // The answer may be one that this version does not understand.
      await apply(
        transport,
        { ...policies, parse: () => undefined },
        { metadata: { namespace, name }, status },
        options,
      );
      return true;
    } catch (error) {
      if (isKubeError(error, 'NotFound')) return false;
      throw error;
    }
  }

  /** An agent that has just started only needs to write where its predecessor left entries, or where there are new ones. */
  #before(policy: RobotGCPolicy | undefined): string | undefined {
    const { containers = [], misunderstoodBy = [] } = policy?.status ?? {};
    const ofNode = [...containers, ...misunderstoodBy].some(({ node }) => node === this.#options.node);
    return ofNode ? undefined : JSON.stringify(policy ? { containers: [] } : {});
  }
}

/** A field manager's name may have 128 characters, a node's more. */
function fieldManagerOf(node: string): string {
  return `${AGENT_FIELD_MANAGER}-${labelValue(node)}`;
}
