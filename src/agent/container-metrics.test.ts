import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import type { SignalWindow } from '../model/index.ts';
import { calmCgroup } from '../model/testing.ts';
import { ContainerMetrics } from './container-metrics.ts';

const quiet = { count: 0, p50Ns: 0, p99Ns: 0, maxNs: 0, sumNs: 0 };
const noWaits = { ...quiet, slow: 0, verySlow: 0, whileMarking: { count: 0, sumNs: 0 } };
const window: SignalWindow = {
  endedAt: '2026-01-01T00:00:00.000Z',
  durationMs: 2000,
  seq: 1,
  pod: { namespace: 'robots', name: 'dispatch-1', uid: 'u' },
  container: 'robot',
  containerId: 'c',
  pids: [1],
  gcPause: { ...quiet, p99Ns: 1_500_000 },
  gcAssist: quiet,
  gcStall: { ...quiet, p99Ns: 2_000_000 },
  capturePause: quiet,
  gc: {
    cycles: 8,
    cpuShare: 0.12,
    assistShare: 0,
    heapLiveBytes: 1024,
    heapGoalBytes: 2048,
    rootsBytes: 10,
    allocBytesPerSecond: 5,
    gogc: 10,
    goMemLimitBytes: null,
    gomaxprocs: 2,
    limitDrivenCycles: 0,
  },
  cgroup: null,
  activeRobots: 10_000,
  lostEvents: 0,
};
const labels = 'namespace="robots",pod="dispatch-1",container="robot"';

it('shows the signals of the latest window in base units, and leaves out what is not known', async () => {
  const registry = new Registry();
  new ContainerMetrics(registry).observe(window);
  const text = await registry.metrics();
  expect(text).toContain(`robotgc_container_gc_pause_p99_seconds{${labels}} 0.0015`);
  expect(text).toContain(`robotgc_container_gc_cycles_per_second{${labels}} 4`);
  expect(text).toContain(`robotgc_container_gogc_percent{${labels}} 10`);
  expect(text).not.toContain('robotgc_container_memory_current_bytes{');
});

it('shows waits for memory and network, each only where it was observed', async () => {
  const none = { ...quiet, failed: 0 };
  const waits: SignalWindow = {
    ...window,
    kernelMemory: {
      mmap: { ...noWaits, p99Ns: 12_000_000, slow: 6, verySlow: 1 },
      munmap: { ...noWaits, p99Ns: 3_000 },
      reclaimDirect: noWaits,
      reclaimMemcg: { ...noWaits, sumNs: 500_000_000 },
      heapGrows: { count: 2, whileMarking: 1 },
      mmapFailures: { count: 4, whileMarking: 0 },
      allocationFailures: { count: 8, whileMarking: 0 },
      oomVictims: { count: 1, whileMarking: 0 },
    },
    network: {
      tlsClient: { ...none, maxNs: 3e8 },
      tlsServer: { ...none, maxNs: 7e8 },
      openssl: none,
      connect: none,
      read: none,
    },
  };
  const shown = async (of: SignalWindow): Promise<string> => {
    const registry = new Registry();
    new ContainerMetrics(registry).observe(of);
    return registry.metrics();
  };
  const all = await shown(waits);
  expect(all).toContain(`robotgc_container_mmap_slow_per_second{${labels}} 3`);
  expect(all).toContain(`robotgc_container_mmap_very_slow_per_second{${labels}} 0.5`);
  expect(all).toContain(`robotgc_container_mmap_p99_seconds{${labels}} 0.012`);
  expect(all).toContain(`robotgc_container_munmap_p99_seconds{${labels}} 0.000003`);
  expect(all).toContain(`robotgc_container_heap_grows_per_second{${labels}} 1`);
  expect(all).toContain(`robotgc_container_mmap_failures_per_second{${labels}} 2`);
  expect(all).toContain(`robotgc_container_allocation_failures_per_second{${labels}} 4`);
  expect(all).toContain(`robotgc_container_oom_victims_per_second{${labels}} 0.5`);
  expect(all).toContain(`robotgc_container_reclaim_direct_stall_ratio{${labels}} 0`);
  expect(all).toContain(`robotgc_container_reclaim_memcg_stall_ratio{${labels}} 0.25`);
  expect(all).toContain(`robotgc_container_tls_handshake_max_seconds{${labels}} 0.7`);
  expect(all).toContain(`robotgc_container_connect_max_seconds{${labels}} 0`);
  expect(all).toContain(`robotgc_container_assist_observed_ratio{${labels}} 1`);
  const part = await shown({ ...waits, missing: ['kernelMemory', 'network.connect', 'network.tlsServer', 'gcAssist'] });
  expect(part).not.toContain('robotgc_container_mmap_slow_per_second{');
  expect(part).not.toContain('robotgc_container_reclaim_memcg_stall_ratio{');
  expect(part).not.toContain('robotgc_container_connect_max_seconds{');
  expect(part).toContain(`robotgc_container_tls_handshake_max_seconds{${labels}} 0.3`);
  expect(part).toContain(`robotgc_container_assist_observed_ratio{${labels}} 0`);
});

it('shows pauses by reason and cause, cycles by trigger, and the limiter, each only where it is known', async () => {
  const part = { count: 1, maxNs: 0, sumNs: 0, stoppingP99Ns: 0, stoppingMaxNs: 0, stoppingSumNs: 0 };
  const gc = window.gc && { ...window.gc, triggers: { heap: 6, time: 0, forced: 2 }, cycleMaxNs: 5e8, limiterOn: true };
  const told: SignalWindow = {
    ...window,
    gcStopping: { ...quiet, p99Ns: 300_000 },
    gcPauseByReason: { sweepTermination: { ...part, p99Ns: 1e6 }, markTermination: { ...part, p99Ns: 2e6 } },
    capturePause: { ...quiet, maxNs: 4e6 },
    otherPause: { ...quiet, maxNs: 3e6, profiling: 1 },
    gc,
  };
  const text = async (of: SignalWindow): Promise<string> => {
    const registry = new Registry();
    new ContainerMetrics(registry).observe(of);
    return registry.metrics();
  };
  const all = await text(told);
  expect(all).toContain(`robotgc_container_gc_stopping_p99_seconds{${labels}} 0.0003`);
  expect(all).toContain(`robotgc_container_gc_pause_sweep_termination_p99_seconds{${labels}} 0.001`);
  expect(all).toContain(`robotgc_container_gc_pause_mark_termination_p99_seconds{${labels}} 0.002`);
  expect(all).toContain(`robotgc_container_capture_pause_max_seconds{${labels}} 0.004`);
  expect(all).toContain(`robotgc_container_other_pause_max_seconds{${labels}} 0.003`);
  expect(all).toContain(`robotgc_container_gc_cycles_by_heap_per_second{${labels}} 3`);
  expect(all).toContain(`robotgc_container_gc_cycles_forced_per_second{${labels}} 1`);
  expect(all).toContain(`robotgc_container_gc_cycle_max_seconds{${labels}} 0.5`);
  expect(all).toContain(`robotgc_container_gc_limiter_on{${labels}} 1`);
  const none = await text({ ...window, missing: ['gcStopping', 'gcPauseByReason', 'capturePause'] });
  for (const name of ['gc_stopping', 'gc_pause_sweep', 'capture_pause', 'other_pause', 'gc_cycles_by', 'gc_limiter'])
    expect(none).not.toMatch(new RegExp(`^robotgc_container_${name}`, 'm'));
});

it('shows how the live heap grows, once there are cycles to tell it by', async () => {
  const registry = new Registry();
  const metrics = new ContainerMetrics(registry);
  metrics.observe(window);
  expect(await registry.metrics()).not.toMatch(/^robotgc_container_heap_live_slope/m);
  for (let second = 0; second < 100; second++) {
    const endedAt = new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString();
    metrics.observe({ ...window, endedAt, gc: window.gc && { ...window.gc, heapLiveBytes: 5000 + 7 * second } });
  }
  const text = await registry.metrics();
  expect(text).toContain(`robotgc_container_heap_live_slope_bytes_per_second{${labels}} 7`);
  expect(text).toContain(`robotgc_container_heap_live_slope_low_bytes_per_second{${labels}} 7`);
});

it('forgets a container that is no longer watched', async () => {
  const registry = new Registry();
  const metrics = new ContainerMetrics(registry);
  metrics.observe(window);
  metrics.forget('c');
  expect(await registry.metrics()).not.toContain('dispatch-1');
});

it('shows the pressure of the node, as the newest window of any container has it', async () => {
  const registry = new Registry();
  const metrics = new ContainerMetrics(registry);
  const at = (containerId: string, second: number, some: number): SignalWindow => ({
    ...window,
    containerId,
    endedAt: `2026-01-01T00:00:0${second}.000Z`,
    cgroup: {
      ...calmCgroup,
      node: { memory: { some, full: some / 2 }, cpu: { some: 0.25, full: null }, io: null },
    },
  });
  metrics.observe(at('b', 2, 0.5));
  metrics.observe(at('a', 1, 0.125));
  const text = await registry.metrics();
  expect(text).toContain('robotgc_node_pressure_ratio{resource="memory",line="some"} 0.5\n');
  expect(text).toContain('robotgc_node_pressure_ratio{resource="memory",line="full"} 0.25\n');
  expect(text).toContain('robotgc_node_pressure_ratio{resource="cpu",line="some"} 0.25\n');
  expect(text).not.toMatch(/resource="cpu",line="full"|resource="io"/);
  metrics.forget('a');
  metrics.forget('b');
  expect(await registry.metrics()).not.toContain('robotgc_node_pressure_ratio{');
});
