/** The latest window of each watched container as Prometheus gauges: the signals that policies are judged by. Made when somebody asks for them. */
import { Gauge, type Registry } from 'prom-client';
import { isMissing, type NetworkWaits, type SignalWindow } from '../model/index.ts';

const LABELS = ['namespace', 'pod', 'container'] as const;
type Labels = Record<(typeof LABELS)[number], string>;
type Reading = (window: SignalWindow) => number | null | undefined;

function p99Seconds(field: 'gcPause' | 'gcAssist' | 'gcStall'): Reading {
  return (window) => (isMissing(window, field) ? null : window[field].p99Ns / 1e9);
}

function perSecond(field: 'mmap' | 'heapGrows', count: 'slowMmaps' | 'verySlowMmaps' | 'heapGrows'): Reading {
  return (window) =>
    isMissing(window, `kernelMemory.${field}`)
      ? null
      : window.kernelMemory && (window.kernelMemory[count] * 1000) / window.durationMs;
}

const reclaimStallShare: Reading = (window) =>
  isMissing(window, 'kernelMemory.reclaim')
    ? null
    : window.kernelMemory && window.kernelMemory.reclaim.sumNs / (window.durationMs * 1e6);

function longestSeconds(...phases: (keyof NetworkWaits)[]): Reading {
  return (window) => {
    const seen = phases.filter((phase) => !isMissing(window, `network.${phase}`));
    return window.network && seen.length > 0
      ? Math.max(...seen.map((phase) => window.network?.[phase].maxNs ?? 0)) / 1e9
      : null;
  };
}

const assistObservedShare: Reading = (window) =>
  isMissing(window, 'gcAssist') ? 0 : (window.gcAssistSampling?.observedShare ?? 1);

/** name → help and reading; `null` = not known in this window, and then not shown. */
const GAUGES: Readonly<Record<string, readonly [string, Reading]>> = {
  gc_cpu_share_ratio: ['Non-idle GC CPU time by available CPU time.', ({ gc }) => gc?.cpuShare],
  gc_cycles_per_second: ['GC cycles that ended.', ({ gc, durationMs }) => gc && (gc.cycles * 1000) / durationMs],
  gc_pause_p99_seconds: ['P99 of stop-the-world pauses of the collector.', p99Seconds('gcPause')],
  gc_assist_p99_seconds: ['P99 of mark-assist stalls.', p99Seconds('gcAssist')],
  gc_stall_p99_seconds: ['P99 of pauses and assist stalls together.', p99Seconds('gcStall')],
  heap_live_bytes: ['Heap that the last cycle marked as live.', ({ gc }) => gc?.heapLiveBytes],
  heap_goal_bytes: ['Heap size at which the next cycle should end.', ({ gc }) => gc?.heapGoalBytes],
  alloc_bytes_per_second: ['Allocation rate.', ({ gc }) => gc?.allocBytesPerSecond],
  gogc_percent: ['GOGC in effect, -1 = off.', ({ gc }) => gc?.gogc],
  memory_current_bytes: ['Memory of the cgroup.', ({ cgroup }) => cgroup?.memoryCurrentBytes],
  memory_limit_bytes: ['Memory limit of the cgroup.', ({ cgroup }) => cgroup?.memoryLimitBytes],
  memory_pressure_some_ratio: [
    'Share of time some task waited for memory.',
    ({ cgroup }) => cgroup?.memoryPressure?.some,
  ],
  memory_pressure_full_ratio: [
    'Share of time all tasks waited for memory.',
    ({ cgroup }) => cgroup?.memoryPressure?.full,
  ],
  assist_observed_ratio: ['Share of the time in which assist stalls were looked at.', assistObservedShare],
  mmap_slow_per_second: ['mmap calls of 1 ms and longer.', perSecond('mmap', 'slowMmaps')],
  mmap_very_slow_per_second: ['mmap calls of 10 ms and longer.', perSecond('mmap', 'verySlowMmaps')],
  heap_grows_per_second: [
    'How often the Go heap asked the kernel for address space.',
    perSecond('heapGrows', 'heapGrows'),
  ],
  reclaim_stall_ratio: ['Time that threads had to free memory for the kernel, by time that passed.', reclaimStallShare],
  tls_handshake_max_seconds: [
    'The longest TLS handshake of crypto/tls or OpenSSL that ended.',
    longestSeconds('tlsClient', 'tlsServer', 'openssl'),
  ],
  connect_max_seconds: ['The longest TCP connect that ended.', longestSeconds('connect')],
  cpu_throttled_ratio: ['Share of CFS periods that were throttled.', ({ cgroup }) => cgroup?.throttledShare],
  active_robots: ['Robots that the container serves.', ({ activeRobots }) => activeRobots],
};

export class ContainerMetrics {
  readonly #latest = new Map<string, SignalWindow>();

  constructor(registry: Registry) {
    const latest = this.#latest;
    for (const [name, [help, read]] of Object.entries(GAUGES)) {
      new Gauge({
        name: `robotgc_container_${name}`,
        help,
        labelNames: LABELS,
        registers: [registry],
        collect() {
          this.reset();
          for (const window of latest.values()) {
            const value = read(window);
            if (value !== null && value !== undefined) this.set(labelsOf(window), value);
          }
        },
      });
    }
  }

  observe(window: SignalWindow): void {
    this.#latest.set(window.containerId, window);
  }

  /** A container that is no longer watched leaves no stale numbers behind. */
  forget(containerId: string): void {
    this.#latest.delete(containerId);
  }
}

function labelsOf({ pod, container }: SignalWindow): Labels {
  return { namespace: pod.namespace, pod: pod.name, container };
}
