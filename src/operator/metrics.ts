/** What the operator tells Prometheus about itself and about its work. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ActionRecord, PolicyStatus, TuningState } from '../api/index.ts';
import type { CallMetric, QueueMetrics } from '../kube/index.ts';
import type { Breaker } from '../remedy/index.ts';

type Healing = Pick<PolicyStatus, 'mttrSeconds' | 'autoHealRate'>;

export class OperatorMetrics {
  readonly registry = new Registry();

  readonly #phases = new Counter({
    name: 'robotgc_incident_phases_total',
    help: 'Phases that incidents entered.',
    labelNames: ['phase', 'cause'],
    registers: [this.registry],
  });
  readonly #heal = new Histogram({
    name: 'robotgc_incident_heal_seconds',
    help: 'Time from breach to verified remedy of resolved incidents.',
    buckets: [10, 20, 30, 45, 60, 90, 120, 300, 600, 1800],
    registers: [this.registry],
  });
  readonly #tuned = new Counter({
    name: 'robotgc_tuning_actions_total',
    help: 'Changes of continuous tuning that came to their end, without any breach.',
    labelNames: ['kind', 'knob', 'result'],
    registers: [this.registry],
  });
  readonly #calls = new Histogram({
    name: 'robotgc_kube_request_seconds',
    help: 'Calls to the Kubernetes API.',
    labelNames: ['verb', 'resource', 'code'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10],
    registers: [this.registry],
  });
  readonly #reconciles = new Histogram({
    name: 'robotgc_reconcile_seconds',
    help: 'Reconciles of each controller.',
    labelNames: ['queue', 'outcome'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10],
    registers: [this.registry],
  });
  readonly #depth = new Gauge({
    name: 'robotgc_queue_depth',
    help: 'Keys waiting to be reconciled.',
    labelNames: ['queue'],
    registers: [this.registry],
  });
  readonly #ingested = new Counter({
    name: 'robotgc_ingested_total',
    help: 'What agents delivered.',
    labelNames: ['what', 'outcome'],
    registers: [this.registry],
  });
  readonly #leader = new Gauge({
    name: 'robotgc_leader',
    help: '1 while this replica leads.',
    registers: [this.registry],
  });

  /** @param read what each policy's status says, at every scrape */
  watchHealing(read: () => readonly (Healing & { readonly namespace: string; readonly policy: string })[]): void {
    const labelNames = ['namespace', 'policy'] as const;
    const registers = [this.registry];
    new Gauge({
      name: 'robotgc_policy_mttr_seconds',
      help: 'Mean time from breach to verified remedy, of the resolved incidents that are still there.',
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const { namespace, policy, mttrSeconds } of read())
          if (mttrSeconds !== undefined) this.set({ namespace, policy }, mttrSeconds);
      },
    });
    new Gauge({
      name: 'robotgc_policy_auto_heal_ratio',
      help: 'Resolved ÷ (resolved + rolled back + escalated), of the incidents that are still there.',
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const { namespace, policy, autoHealRate } of read())
          if (autoHealRate !== undefined) this.set({ namespace, policy }, autoHealRate);
      },
    });
  }

  /** @param read what each policy's status says of continuous tuning, at every scrape */
  watchTuning(read: () => readonly (TuningState & { readonly namespace: string; readonly policy: string })[]): void {
    const labelNames = ['namespace', 'policy', 'workload', 'container'] as const;
    new Gauge({
      name: 'robotgc_tuning_gogc',
      help: 'GOGC that the formula asked for when it was last told of.',
      labelNames,
      registers: [this.registry],
      collect() {
        this.reset();
        for (const { namespace, policy, owner, container, plan } of read()) {
          const gogc = plan.knob === 'GOGC' ? Number(plan.to ?? plan.from ?? Number.NaN) : Number.NaN;
          if (!Number.isNaN(gogc)) this.set({ namespace, policy, workload: owner.name, container }, gogc);
        }
      },
    });
  }

  /** @param look at the breaker, at every scrape */
  watchBreaker(look: () => Breaker): void {
    new Gauge({
      name: 'robotgc_circuit_breaker_open',
      help: '1 while nothing is changed anywhere because many workloads breached or were rolled back together.',
      registers: [this.registry],
      collect() {
        this.set(look().type === 'open' ? 1 : 0);
      },
    });
  }

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  readonly queue: QueueMetrics = {
    depth: (queue, keys) => this.#depth.set({ queue }, keys),
    handled: (queue, outcome, seconds) => this.#reconciles.observe({ queue, outcome }, seconds),
  };

  called({ verb, resource, code, seconds }: CallMetric): void {
    this.#calls.observe({ verb, resource, code }, seconds);
  }

  entered(phase: string, cause: string | undefined, healMs: number | undefined): void {
    this.#phases.inc({ phase, cause: cause ?? '' });
    if (phase === 'Resolved' && healMs !== undefined) this.#heal.observe(healMs / 1000);
  }

  tuned({ kind, knob, result }: ActionRecord): void {
    this.#tuned.inc({ kind, knob, result });
  }

  ingested(what: 'bundle' | 'windows', outcome: 'ok' | 'refused' | 'failed'): void {
    this.#ingested.inc({ what, outcome });
  }

  leads(leading: boolean): void {
    this.#leader.set(leading ? 1 : 0);
  }
}
