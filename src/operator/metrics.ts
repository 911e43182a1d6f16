/** What the operator tells Prometheus about itself and about its work. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { CallMetric, QueueMetrics } from '../kube/index.ts';

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

  ingested(what: 'bundle' | 'windows', outcome: 'ok' | 'refused' | 'failed'): void {
    this.#ingested.inc({ what, outcome });
  }

  leads(leading: boolean): void {
    this.#leader.set(leading ? 1 : 0);
  }
}
