/** What the agent tells Prometheus of itself. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { collectProcessMetrics } from './process-metrics.ts';

export class AgentMetrics {
  readonly registry = new Registry();
  readonly watched = this.#gauge('robotgc_agent_watched_containers', 'Containers by state.', ['state']);
  readonly windows = this.#counter('robotgc_agent_windows_total', 'Signal windows made.');
  readonly lostEvents = this.#counter('robotgc_agent_lost_events_total', 'Probe events that had no room.');
  readonly probeStarts = this.#counter('robotgc_agent_probe_starts_total', 'Starts of the probe.');
  readonly flushSeconds = new Histogram({
    name: 'robotgc_agent_flush_seconds',
    help: 'Time from asking the probe for its events to having them.',
    buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1],
    registers: [this.registry],
  });
  readonly captures = this.#counter('robotgc_agent_captures_total', 'Captures by outcome.', ['outcome']);
  readonly incidents = this.#counter('robotgc_agent_breaches_total', 'Breaches that became incidents, by signal.', [
    'signal',
  ]);
  readonly pressureOnsets = this.#counter(
    'robotgc_agent_pressure_onsets_total',
    'Beginnings of memory pressure above a limit, by signal and by what told it: the kernel’s trigger, or reading.',
    ['signal', 'told_by'],
  );
  readonly pendingBundles = this.#gauge('robotgc_agent_pending_bundles', 'Bundles the operator has not acknowledged.');
  readonly shippedBundles = this.#counter(
    'robotgc_agent_shipped_bundles_total',
    'Bundles the operator has acknowledged.',
  );
  readonly sentWindows = this.#counter('robotgc_agent_sent_windows_total', 'Signal windows the operator has taken.');
  readonly droppedWindows = this.#gauge(
    'robotgc_agent_dropped_windows',
    'Signal windows given up because the operator took none for too long, since the start.',
  );
  readonly apiCalls = this.#counter('robotgc_agent_api_calls_total', 'Calls to the API server.', [
    'verb',
    'resource',
    'code',
  ]);

  constructor() {
    collectProcessMetrics(this.registry, 'robotgc_agent_');
  }

  #gauge(name: string, help: string, labelNames: string[] = []): Gauge {
    return new Gauge({ name, help, labelNames, registers: [this.registry] });
  }

  #counter(name: string, help: string, labelNames: string[] = []): Counter {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }
}
