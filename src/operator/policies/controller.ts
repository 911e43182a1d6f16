/** One policy: its status says what was derived from it, what is watched, and how it went. */
import { isDeepStrictEqual } from 'node:util';
import { type RobotGCPolicy, STATUS_FIELD_MANAGER } from '../../api/index.ts';
import { apply, policies, type Transport } from '../../kube/index.ts';
import type { FleetBreaker } from '../breaker.ts';
import type { Caches } from '../caches.ts';
import { type OwnStatus, policyStatus } from './status.ts';

export interface PolicyControllerOptions {
  readonly transport: Transport;
  readonly caches: Caches;
  readonly observeOnly: boolean;
  readonly breaker: FleetBreaker;
}

export class PolicyController {
  readonly #options: PolicyControllerOptions;

  constructor(options: PolicyControllerOptions) {
    this.#options = options;
  }

  async reconcile(key: string, signal: AbortSignal): Promise<undefined> {
    const { caches, transport, observeOnly, breaker } = this.#options;
    const policy = caches.policies.store.get(key);
    if (!policy || policy.metadata.deletionTimestamp) return;
    const incidents = caches.incidents.store
      .byIndex('policy', key)
      .filter((incident) => incident.spec.policy.uid === policy.metadata.uid);
    const now = Date.now();
    const status = policyStatus(policy, incidents, { observeOnly, breaker: breaker.at(now) }, now);
    if (isDeepStrictEqual(status, ownPart(policy, status))) return;
    const { name, namespace, uid } = policy.metadata;
    await apply(
      transport,
      policies,
      { metadata: { name, namespace, uid }, status },
      {
        fieldManager: STATUS_FIELD_MANAGER,
        force: true,
        subresource: 'status',
        signal,
      },
    );
  }
}

/** The fields of the present status that we would write, so that an unchanged status costs no call. */
function ownPart({ status }: RobotGCPolicy, wanted: OwnStatus): object {
  return Object.fromEntries(Object.entries(status).filter(([field]) => field in wanted));
}
