/** Events as the probe would send them, for tests: neutral values, any of which may be set. */
import type { CgroupSample } from '../../host/index.ts';
import type { CycleEvent, PauseEvent } from '../../host/probe/index.ts';
import type { Observed } from '../sampler/window-builder.ts';

export function pauseEvent(over: Partial<PauseEvent>): PauseEvent {
  return { type: 'pause', pid: 1, tid: 1, reason: 1, startNs: 0, stoppingNs: 0, totalNs: 0, ...over };
}

export function cycleEvent(over: Partial<CycleEvent>): CycleEvent {
  return {
    type: 'cycle',
    pid: 1,
    atNs: 0,
    procs: 2,
    userForced: false,
    gcPercent: 100,
    memoryLimitBytes: null,
    heapMinimumBytes: 4 << 20,
    heapGoalBytes: 0,
    goalByMemoryLimit: false,
    triggeredBytes: null,
    lastHeapGoalBytes: null,
    heapLiveBytes: 0,
    heapMarkedBytes: 0,
    lastStackScanBytes: 0,
    globalsScanBytes: 0,
    assistNs: 0,
    dedicatedNs: 0,
    fractionalNs: 0,
    idleNs: 0,
    markStartNs: 0,
    totalAllocBytes: 0,
    totalFreeBytes: 0,
    mappedReadyBytes: 0,
    heapInUseBytes: 0,
    heapReleasedBytes: 0,
    heapFreeBytes: 0,
    ...over,
  };
}

/** A second of process 1 in which nothing happened. */
export function quietSecond(over: Partial<Observed>): Observed {
  return {
    startNs: 0,
    endNs: 1e9,
    endedAtMs: Date.UTC(2026, 0, 1),
    pids: [1],
    pauses: [],
    assists: [],
    cycles: [],
    histograms: [],
    sampled: [],
    counts: [],
    waits: [],
    phased: [],
    cgroup: null,
    activeRobots: null,
    lostEvents: 0,
    capturingAt: () => false,
    ...over,
  };
}

export function cgroupSample(over: Partial<CgroupSample>): CgroupSample {
  return {
    version: 'v2',
    memoryCurrentBytes: 0,
    memoryWorkingSetBytes: null,
    memoryLimitBytes: null,
    memoryHighBytes: null,
    memoryPeakBytes: null,
    swapBytes: null,
    swapLimitBytes: null,
    events: null,
    eventsLocal: null,
    podMaxEvents: null,
    stat: null,
    slowAtMs: 0,
    cpu: null,
    cpuLimitCores: null,
    pressure: { memory: null, cpu: null, io: null },
    missing: [],
    ...over,
  };
}
