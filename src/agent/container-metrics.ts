/** The latest window of each watched container as Prometheus gauges: the signals that policies are judged by. Made when somebody asks for them. */
import { Gauge, type Registry } from 'prom-client';
import {
  type HeapTrend,
  isMissing,
  type KernelMemory,
  LiveHeap,
  type NetworkPhase,
  type SignalWindow,
} from '../model/index.ts';

const LABELS = ['namespace', 'pod', 'container'] as const;
type Labels = Record<(typeof LABELS)[number], string>;
/** `heap`: the trend of the live heap over the last minutes. */
type Reading = (window: SignalWindow, heap: () => HeapTrend | null) => number | null | undefined;

function p99Seconds(field: 'gcPause' | 'gcAssist' | 'gcStall'): Reading {
  return (window) => (isMissing(window, field) ? null : window[field].p99Ns / 1e9);
}

function reasonP99Seconds(reason: 'sweepTermination' | 'markTermination'): Reading {
  return (window) =>
    isMissing(window, 'gcPauseByReason') ? null : window.gcPauseByReason && window.gcPauseByReason[reason].p99Ns / 1e9;
}

function triggered(by: 'heap' | 'time' | 'forced'): Reading {
  return ({ gc, durationMs }) => gc?.triggers && (gc.triggers[by] * 1000) / durationMs;
}

const seconds = (ns: number | undefined): number | undefined => (ns === undefined ? undefined : ns / 1e9);

const finite = (value: number | undefined): number | undefined => (Number.isFinite(value) ? value : undefined);

function ofMemory<Field extends keyof KernelMemory>(
  field: Field,
  read: (facts: KernelMemory[Field], durationMs: number) => number,
): Reading {
  return (window) =>
    isMissing(window, `kernelMemory.${field}`)
      ? null
      : window.kernelMemory && read(window.kernelMemory[field], window.durationMs);
}

const perSecond = (count: number, durationMs: number): number => (count * 1000) / durationMs;

function countPerSecond(field: 'heapGrows' | 'mmapFailures' | 'allocationFailures' | 'oomVictims'): Reading {
  return ofMemory(field, ({ count }, durationMs) => perSecond(count, durationMs));
}

function stallShare(field: 'reclaimDirect' | 'reclaimMemcg'): Reading {
  return ofMemory(field, ({ sumNs }, durationMs) => sumNs / (durationMs * 1e6));
}

function longestSeconds(...phases: NetworkPhase[]): Reading {
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
  gc_pause_sweep_termination_p99_seconds: [
    'P99 of pauses at the begin of a cycle.',
    reasonP99Seconds('sweepTermination'),
  ],
  gc_pause_mark_termination_p99_seconds: ['P99 of pauses at the end of a cycle.', reasonP99Seconds('markTermination')],
  gc_stopping_p99_seconds: [
    'P99 of the part of pauses until all goroutines stood still.',
    (window) => (isMissing(window, 'gcStopping') ? null : seconds(window.gcStopping?.p99Ns)),
  ],
  capture_pause_max_seconds: [
    'The longest pause that a capture of robotgc caused.',
    (window) => (isMissing(window, 'capturePause') ? null : window.capturePause.maxNs / 1e9),
  ],
  other_pause_max_seconds: [
    'The longest pause that neither the collector nor a capture of robotgc caused.',
    ({ otherPause }) => seconds(otherPause?.maxNs),
  ],
  gc_cycles_by_heap_per_second: ['GC cycles that the heap triggered.', triggered('heap')],
  gc_cycles_by_time_per_second: ['GC cycles that two minutes without one triggered.', triggered('time')],
  gc_cycles_forced_per_second: ['GC cycles that the program asked for.', triggered('forced')],
  gc_cycle_max_seconds: ['The longest GC cycle that ended.', ({ gc }) => seconds(gc?.cycleMaxNs)],
  gc_mark_max_seconds: ['The longest concurrent mark phase that ended.', ({ gc }) => seconds(gc?.markMaxNs)],
  gc_limiter_on: [
    'Whether the runtime limits its collector to half of the CPU time.',
    ({ gc }) => (gc?.limiterOn === undefined ? undefined : Number(gc.limiterOn)),
  ],
  heap_live_slope_bytes_per_second: [
    'Slope of the live heap over the last five minutes.',
    (_, heap) => heap()?.liveBytesPerSecond.perSecond,
  ],
  heap_live_slope_low_bytes_per_second: [
    'What that slope is above with a confidence of 97.5 %: over 0, the heap grows.',
    (_, heap) => finite(heap()?.liveBytesPerSecond.low),
  ],
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
  mmap_p99_seconds: ['P99 of mmap calls.', ofMemory('mmap', ({ p99Ns }) => p99Ns / 1e9)],
  munmap_p99_seconds: ['P99 of munmap calls.', ofMemory('munmap', ({ p99Ns }) => p99Ns / 1e9)],
  mmap_slow_per_second: ['mmap calls of 1 ms and longer.', ofMemory('mmap', ({ slow }, ms) => perSecond(slow, ms))],
  mmap_very_slow_per_second: [
    'mmap calls of 10 ms and longer.',
    ofMemory('mmap', ({ verySlow }, ms) => perSecond(verySlow, ms)),
  ],
  mmap_failures_per_second: ['mmap calls that the kernel refused.', countPerSecond('mmapFailures')],
  allocation_failures_per_second: [
    'System calls for which the kernel had no memory or no address space.',
    countPerSecond('allocationFailures'),
  ],
  oom_victims_per_second: ['Processes that the OOM killer chose.', countPerSecond('oomVictims')],
  heap_grows_per_second: ['How often the Go heap asked the kernel for address space.', countPerSecond('heapGrows')],
  reclaim_direct_stall_ratio: [
    'Time that threads had to free memory for the machine, by time that passed.',
    stallShare('reclaimDirect'),
  ],
  reclaim_memcg_stall_ratio: [
    'Time that threads had to free memory for a cgroup at its limit, by time that passed.',
    stallShare('reclaimMemcg'),
  ],
  tls_handshake_max_seconds: [
    'The longest TLS handshake of crypto/tls or OpenSSL that ended.',
    longestSeconds('tlsClient', 'tlsServer', 'openssl'),
  ],
  connect_max_seconds: ['The longest TCP connect that ended.', longestSeconds('connect')],
  cpu_throttled_ratio: ['Share of CFS periods that were throttled.', ({ cgroup }) => cgroup?.throttledShare],
  active_robots: ['Robots that the container serves.', ({ activeRobots }) => activeRobots],
};

/** Made for one answer, and let go of with it: of 250 containers that is over a megabyte. */
class ReadGauge extends Gauge {
  override async get(): ReturnType<Gauge['get']> {
    const read = await super.get();
    this.reset();
    return read;
  }
}

export class ContainerMetrics {
  readonly #latest = new Map<string, { window: SignalWindow; readonly heap: LiveHeap }>();

  constructor(registry: Registry) {
    const latest = this.#latest;
    for (const [name, [help, read]] of Object.entries(GAUGES)) {
      new ReadGauge({
        name: `robotgc_container_${name}`,
        help,
        labelNames: LABELS,
        registers: [registry],
        collect() {
          for (const { window, heap } of latest.values()) {
            const value = read(window, () => heap.trend());
            if (value !== null && value !== undefined) this.set(labelsOf(window), value);
          }
        },
      });
    }
    new ReadGauge({
      name: 'robotgc_node_pressure_ratio',
      help: 'Share of time some, or all, tasks of the whole node waited: beside a container’s, it tells a neighbour’s pressure from its own.',
      labelNames: ['resource', 'line'],
      registers: [registry],
      collect() {
        for (const [resource, shares] of Object.entries(nodeOf(latest.values()) ?? {})) {
          if (!shares) continue;
          this.set({ resource, line: 'some' }, shares.some);
          if (shares.full !== null) this.set({ resource, line: 'full' }, shares.full);
        }
      },
    });
  }

  observe(window: SignalWindow): void {
    const known = this.#latest.get(window.containerId) ?? { window, heap: new LiveHeap() };
    known.window = window;
    known.heap.observe(window);
    this.#latest.set(window.containerId, known);
  }

  /** A container that is no longer watched leaves no stale numbers behind. */
  forget(containerId: string): void {
    this.#latest.delete(containerId);
  }
}

/** As the newest window has it: it is read once for all containers. */
function nodeOf(latest: Iterable<{ readonly window: SignalWindow }>): NonNullable<SignalWindow['cgroup']>['node'] {
  let newest: SignalWindow | null = null;
  for (const { window } of latest)
    if (window.cgroup?.node && window.endedAt >= (newest?.endedAt ?? '')) newest = window;
  return newest?.cgroup?.node;
}

function labelsOf({ pod, container }: SignalWindow): Labels {
  return { namespace: pod.namespace, pod: pod.name, container };
}
