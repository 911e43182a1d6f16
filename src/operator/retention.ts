/** Bundles and finished incidents beyond what each policy retains go once a minute; the chain of bundles stays verifiable. */
import { setTimeout as sleep } from 'node:timers/promises';
import { durationMs, isFinal, type PolicySpec, type RobotGCIncident, type RobotGCPolicy } from '../api/index.ts';
import type { BundleStore } from '../bundle/index.ts';
import { incidents, keyOf, type Log, remove, type Transport } from '../kube/index.ts';
import type { Caches } from './caches.ts';

const EVERY_MS = 60_000;

export interface RetentionOptions {
  readonly transport: Transport;
  readonly caches: Pick<Caches, 'policies' | 'incidents'>;
  readonly store: BundleStore;
  readonly log: Log;
}

export async function retain(options: RetentionOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sleep(EVERY_MS, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    for (const policy of options.caches.policies.store.list()) await prune(options, policy, signal);
  }
}

async function prune(
  { transport, caches, store, log }: RetentionOptions,
  policy: RobotGCPolicy,
  signal: AbortSignal,
): Promise<void> {
  const key = keyOf(policy.metadata);
  const { count, age } = policy.spec.capture.retain;
  try {
    const bundles = await store.prune(key, { count, ageMs: durationMs(age) });
    const gone = expired(caches.incidents.store.byIndex('policy', key), policy.spec.capture.retain, Date.now());
    for (const { metadata } of gone) await remove(transport, incidents, metadata, { uid: metadata.uid, signal });
    if (bundles.length + gone.length > 0) {
      log.info({ policy: key, bundles, incidents: gone.map(({ metadata }) => metadata.name) }, 'pruned');
    }
  } catch (error) {
    if (!signal.aborted) log.error({ err: error, policy: key }, 'what is beyond retention could not be removed');
  }
}

/** Finished incidents beyond the newest `count`, or older than `age`. What is still under way stays. */
export function expired(
  all: readonly RobotGCIncident[],
  { count, age }: PolicySpec['capture']['retain'],
  now: number,
): RobotGCIncident[] {
  const oldest = now - durationMs(age);
  return all
    .filter(({ status }) => isFinal(status.phase))
    .toSorted((a, b) => createdAt(b) - createdAt(a))
    .filter((incident, index) => index >= count || createdAt(incident) < oldest);
}

function createdAt({ metadata }: RobotGCIncident): number {
  return Date.parse(metadata.creationTimestamp);
}
