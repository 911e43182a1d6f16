/** The signals that every policy judges, most urgent first. */
import { sampledStall } from './sampled-signals.ts';
import type { SignalCheck } from './signal-check.ts';
import { pooledStallP99Ns } from './summary.ts';
import { isMissing, windowsStoodStill } from './window.ts';

export const SLA_CHECKS: readonly SignalCheck[] = [
  {
    signal: 'memoryPressureFull',
    name: 'memory pressure (full)',
    unit: 'ratio',
    observe: (window) => window.cgroup?.memoryPressure?.full ?? undefined,
    threshold: (thresholds) => thresholds.memoryPressureFull,
    hurtBy: 'nothing',
    field: 'cgroup',
  },
  {
    signal: 'gcStallP99',
    name: 'GC stall P99',
    unit: 'ns',
    // A window without stalls is a healthy one: nobody waited, unless nobody looked. Below 100 stalls the P99 is the maximum; hysteresis.ts says why that is right.
    observe: (window) =>
      isMissing(window, 'gcStall') && window.gcStall.count === 0 ? undefined : window.gcStall.p99Ns,
    threshold: (thresholds) => thresholds.gcStallP99Ns,
    hurtBy: 'lostEvents',
    sampled: sampledStall('gcStall', 'p99Ns'),
    spans: windowsStoodStill,
    field: 'gcStall',
    overall: (windows) => pooledStallP99Ns(windows, 'gcStall'),
  },
  {
    signal: 'gcCpuShare',
    name: 'GC CPU share',
    unit: 'ratio',
    observe: (window) => window.gc?.cpuShare,
    threshold: (thresholds) => thresholds.gcCpuShare,
    hurtBy: 'lostEvents',
    field: 'gc',
  },
  {
    signal: 'memoryPressureSome',
    name: 'memory pressure (some)',
    unit: 'ratio',
    observe: (window) => window.cgroup?.memoryPressure?.some,
    threshold: (thresholds) => thresholds.memoryPressureSome,
    hurtBy: 'nothing',
    field: 'cgroup',
  },
];
