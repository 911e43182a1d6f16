/** Bundles beyond what each policy retains are pruned once a minute; the chain stays verifiable. */
import { setTimeout as sleep } from 'node:timers/promises';
import { durationMs, type RobotGCPolicy } from '../api/index.ts';
import type { BundleStore } from '../bundle/index.ts';
import type { Log, Store } from '../kube/index.ts';

const EVERY_MS = 60_000;

export class Retention {
  readonly #store: BundleStore;
  readonly #policies: Store<RobotGCPolicy>;
  readonly #log: Log;

  constructor(store: BundleStore, policies: Store<RobotGCPolicy>, log: Log) {
    this.#store = store;
    this.#policies = policies;
    this.#log = log;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(EVERY_MS, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      for (const { metadata, spec } of this.#policies.list()) await this.#prune(metadata, spec.capture.retain);
    }
  }

  async #prune(
    { namespace, name }: { readonly namespace: string; readonly name: string },
    retain: { readonly count: number; readonly age: string },
  ): Promise<void> {
    try {
      const keep = { count: retain.count, ageMs: durationMs(retain.age) };
      const removed = await this.#store.prune(`${namespace}/${name}`, keep);
      if (removed.length > 0) this.#log.info({ policy: `${namespace}/${name}`, removed }, 'bundles pruned');
    } catch (error) {
      this.#log.error({ err: error, policy: `${namespace}/${name}` }, 'bundles could not be pruned');
    }
  }
}
