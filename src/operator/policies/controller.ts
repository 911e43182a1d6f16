/** One policy: its status says what was derived from it, what is watched, and how it went. */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { Metadata, PolicyStatus, type RobotGCPolicy, STATUS_FIELD_MANAGER } from '../../api/index.ts';
import { apply, getRaw, isKubeError, policies, splitKey, type Transport } from '../../kube/index.ts';
import type { FleetBreaker } from '../breaker.ts';
import type { Caches } from '../caches.ts';
import { type OwnStatus, policyStatus, unreadStatus } from './status.ts';

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
    const { caches, observeOnly, breaker } = this.#options;
    const policy = caches.policies.store.get(key);
    const unread = caches.policies.malformed().get(key);
    if (unread !== undefined) return this.#tellUnread(key, unread, signal);
    if (!policy || policy.metadata.deletionTimestamp) return;
    const incidents = caches.incidents.store
      .byIndex('policy', key)
      .filter((incident) => incident.spec.policy.uid === policy.metadata.uid);
    const now = Date.now();
    const status = policyStatus(policy, incidents, { observeOnly, breaker: breaker.at(now) }, now);
    if (isDeepStrictEqual(status, ownPart(policy, status))) return;
    await this.#write(policy.metadata, status, signal);
  }

  /** Nothing is done for it; what was said of it before goes, for nobody knows whether that still holds. */
  async #tellUnread(key: string, reason: string, signal: AbortSignal): Promise<undefined> {
    const { transport } = this.#options;
    try {
      const policy = UnreadPolicy.parse(await getRaw(transport, policies, splitKey(key), { signal }));
      const status = unreadStatus(policy, reason, Date.now());
      if (isDeepStrictEqual(status.conditions, policy.status.conditions)) return;
      await this.#write(policy.metadata, status, signal);
    } catch (error) {
      if (!isKubeError(error, 'NotFound')) throw error;
    }
  }

  async #write({ name, namespace, uid }: Metadata, status: Partial<OwnStatus>, signal: AbortSignal): Promise<void> {
    const options = { fieldManager: STATUS_FIELD_MANAGER, force: true, subresource: 'status', signal };
    // The answer may be one that this version does not understand.
    const unparsed = { ...policies, parse: () => undefined };
    await apply(this.#options.transport, unparsed, { metadata: { name, namespace, uid }, status }, options);
  }
}

/** As much of it as every version has. */
const UnreadPolicy = z.object({
  metadata: Metadata,
  status: PolicyStatus.pick({ conditions: true }).prefault({}),
});

/** The fields of the present status that we would write, so that an unchanged status costs no call. */
function ownPart({ status }: RobotGCPolicy, wanted: OwnStatus): object {
  return Object.fromEntries(Object.entries(status).filter(([field]) => field in wanted));
}
