/** Where breaches arrive: decides with the judge, tells the pod's story, and sees each response through to its end. */
import { isFinal, type RobotGCIncident } from '../../api/index.ts';
import { type EventRecorder, keyOf, type Log, type Store } from '../../kube/index.ts';
import type { SignalWindow } from '../../model/index.ts';
import type { Roster } from '../containers/roster.ts';
import type { Selected } from '../containers/watchlist.ts';
import { detectionOf, isAbandoned } from './abandoned.ts';
import type { Detection } from './incident.ts';
import { Judge } from './judge.ts';
import { podTarget } from './pod-target.ts';
import type { Responder } from './responder.ts';
import { breachSentence } from './sentences.ts';

export interface DeskOptions {
  readonly node: string;
  readonly roster: Roster;
  readonly incidents: Store<RobotGCIncident>;
  readonly responder: Responder;
  readonly events: EventRecorder;
  readonly log: Log;
  readonly onBreach: (signal: string) => void;
}

export class IncidentDesk {
  readonly #options: DeskOptions;
  readonly #judge: Judge;
  readonly #startedAt = new Date();
  readonly #responses = new Set<Promise<void>>();
  readonly #stop = new AbortController();

  constructor(options: DeskOptions) {
    this.#options = options;
    this.#judge = new Judge({ node: options.node, incidentsOf: (key) => this.#incidentsOf(key) });
  }

  /** A window was recorded. */
  window(selected: Selected, window: SignalWindow): void {
    // Before the incidents are known, one that is open already could be opened again.
    if (this.#stop.signal.aborted || !this.#options.incidents.hasSynced()) return;
    if (!this.#judge.concerns(selected, window)) return;
    const { windows } = this.#options.roster.recorder(window.containerId);
    const latest = windows.latest(this.#judge.considered(selected));
    for (const detection of this.#judge.detect(selected, latest, new Date())) {
      this.#options.onBreach(detection.breach.signal);
      this.#tellPod(detection);
      this.#respond(detection);
    }
  }

  /** A container is watched: if an earlier agent was stopped in the middle of its capture, the evidence is fetched now. */
  watching({ target, pod, policies }: Selected): void {
    for (const policy of policies) {
      for (const incident of this.#incidentsOf(keyOf(policy.metadata))) {
        if (incident.spec.container.id !== target.containerId) continue;
        if (!isAbandoned(incident, this.#options.node, this.#startedAt, new Date())) continue;
        this.#options.log.info({ incident: incident.metadata.name }, 'a capture that was cut off is made up for');
        this.#respond(detectionOf(incident, policy, pod));
      }
    }
  }

  /** Policies with an incident that is not over. */
  openPolicies(): Set<string> {
    const open = this.#options.incidents.list().filter(({ status }) => !isFinal(status.phase));
    return new Set(open.map(({ metadata, spec }) => `${metadata.namespace}/${spec.policy.name}`));
  }

  /** Captures under way end with what they have; what they have is kept. */
  async stop(timeoutMs: number): Promise<void> {
    this.#stop.abort();
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, timeoutMs);
    await Promise.race([Promise.allSettled(this.#responses), promise]);
    clearTimeout(timer);
  }

  #respond(detection: Detection): void {
    const { roster, responder, log } = this.#options;
    const over = this.#judge.begin(detection, Date.now);
    const about = {
      policy: detection.policy.metadata.name,
      pod: detection.pod.metadata.name,
      signal: detection.breach.signal,
    };
    log.info(about, breachSentence(detection.breach));
    const response = responder
      .respond(detection, roster.recorder(detection.containerId), this.#stop.signal)
      .then(
        () => log.info(about, 'evidence is complete and waits for delivery'),
        (error: unknown) => log.error({ ...about, err: error }, 'a breach could not be answered'),
      )
      .finally(() => {
        over();
        this.#responses.delete(response);
      });
    this.#responses.add(response);
  }

  #tellPod({ pod, container, breach }: Detection): void {
    this.#options.events.record(podTarget(pod, container), 'Warning', 'Breach', breachSentence(breach));
  }

  #incidentsOf(policyKey: string): RobotGCIncident[] {
    return this.#options.incidents.byIndex('policy', policyKey);
  }
}
