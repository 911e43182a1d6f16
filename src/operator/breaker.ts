/** The circuit breaker over all workloads of the cluster, from the incidents in the API; and telling people when it opens and closes. */
import { setTimeout as sleep } from 'node:timers/promises';
import { LABEL_WORKLOAD, type RobotGCIncident } from '../api/index.ts';
import { type EventRecorder, keyOf, type Log } from '../kube/index.ts';
import { type Breaker, type BreakerLimits, circuitBreaker, describeBreaker, type FleetEvent } from '../remedy/index.ts';
import type { Caches } from './caches.ts';

const LOOK_EVERY_MS = 1000;

export class FleetBreaker {
  readonly #incidents: { list(): readonly RobotGCIncident[] };
  readonly #limits: BreakerLimits;

  constructor(incidents: { list(): readonly RobotGCIncident[] }, limits: BreakerLimits) {
    this.#incidents = incidents;
    this.#limits = limits;
  }

  at(nowMs: number): Breaker {
    return circuitBreaker(this.#incidents.list().flatMap(fleetEvents), this.#limits, nowMs);
  }
}

/** What one incident tells of the fleet. Its workload is known by its label; without one, its pod stands for itself. */
export function fleetEvents({ metadata, spec, status }: RobotGCIncident): FleetEvent[] {
  const workload = `${metadata.namespace}/${metadata.labels[LABEL_WORKLOAD] ?? spec.pod.name}`;
  // A way that was refused is withdrawn: nothing had been changed, so nothing was taken back.
  const rollbacks = (status.actions ?? []).filter(
    ({ kind }, index, all) => kind === 'Rollback' && all[index - 1]?.result !== 'Failed',
  );
  return [
    { type: 'breached', workload, atMs: Date.parse(spec.trigger.detectedAt) },
    ...rollbacks.map(({ at }): FleetEvent => ({ type: 'rolledBack', workload, atMs: Date.parse(at) })),
  ];
}

export interface BreakerWatch {
  readonly breaker: FleetBreaker;
  readonly policies: Caches['policies'];
  readonly recorder: EventRecorder;
  /** Called at every turn, for the condition of every policy. */
  readonly turned: (policyKey: string) => void;
  readonly log: Log;
}

/** The one who leads says it on every policy: acting has stopped for all of them. */
export async function tellOfBreaker(watch: BreakerWatch, signal: AbortSignal): Promise<void> {
  const { breaker, policies, recorder, turned, log } = watch;
  let wasOpen = false;
  while (!signal.aborted) {
    const state = breaker.at(Date.now());
    const isOpen = state.type === 'open';
    if (isOpen !== wasOpen) {
      wasOpen = isOpen;
      const note = isOpen ? `${describeBreaker(state)}.` : 'Acting is allowed again: no storm for a whole window.';
      log[isOpen ? 'warn' : 'info']({ breaker: state }, 'circuit breaker turned');
      for (const { apiVersion, kind, metadata } of policies.store.list()) {
        const { namespace, name, uid } = metadata;
        const [type, reason] = isOpen ? (['Warning', 'Stopped'] as const) : (['Normal', 'Resumed'] as const);
        recorder.record({ apiVersion, kind, namespace, name, uid }, type, reason, note);
        turned(keyOf(metadata));
      }
    }
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}
