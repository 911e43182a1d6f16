/** Windows and policies for tests: calm by default, each test says what differs. Synthetic, and labelled so by its pod's name. */
import { PolicySpec } from '../api/index.ts';
import { noStalls } from './quantiles.ts';
import type { CgroupFacts, GcFacts, KernelMemory, MemoryWaits, SignalWindow, StallStats } from './window.ts';

export const EPOCH_MS = Date.UTC(2026, 0, 1);
const MIB = 2 ** 20;

export function syntheticSpec(over: Record<string, unknown> = {}): PolicySpec {
  return PolicySpec.parse({
    selector: { matchLabels: { app: 'synthetic' } },
    sla: { latencyP99: '200ms' },
    ...over,
  });
}

export function stalls(p99Ms: number, count = 20): StallStats {
  const p99Ns = p99Ms * 1e6;
  return { count, p50Ns: p99Ns / 10, p99Ns, maxNs: p99Ns, sumNs: p99Ns + (count - 1) * (p99Ns / 10) };
}

/** Waits for the kernel's memory management, none of them while the collector was marking. */
export function memoryWaits(p99Ms: number, over: Partial<MemoryWaits> = {}): MemoryWaits {
  const [slow, verySlow] = [p99Ms >= 1, p99Ms >= 10].map(Number);
  return {
    ...stalls(p99Ms),
    ...{ slow: slow ?? 0, verySlow: verySlow ?? 0 },
    whileMarking: { count: 0, sumNs: 0 },
    ...over,
  };
}

const never = { count: 0, whileMarking: 0 };
export const calmKernelMemory: KernelMemory = {
  ...{ mmap: memoryWaits(0), munmap: memoryWaits(0), reclaimDirect: memoryWaits(0), reclaimMemcg: memoryWaits(0) },
  ...{ heapGrows: never, mmapFailures: never, allocationFailures: never, oomVictims: never },
};

export const calmGc: GcFacts = {
  cycles: 1,
  cpuShare: 0.01,
  assistShare: 0,
  heapLiveBytes: 64 * MIB,
  heapGoalBytes: 128 * MIB,
  rootsBytes: MIB,
  allocBytesPerSecond: 64 * MIB,
  gogc: 100,
  goMemLimitBytes: null,
  gomaxprocs: 2,
  limitDrivenCycles: 0,
};

export const calmCgroup: CgroupFacts = {
  memoryCurrentBytes: 160 * MIB,
  memoryLimitBytes: 512 * MIB,
  memoryPressure: { some: 0, full: 0 },
  cpuUsedCores: 0.5,
  cpuLimitCores: null,
  throttledShare: 0,
  oomKills: 0,
  missing: [],
};

export interface WindowOver extends Partial<Omit<SignalWindow, 'gc' | 'cgroup'>> {
  readonly gc?: Partial<GcFacts> | null;
  readonly cgroup?: Partial<CgroupFacts> | null;
}

/** The window of second `seq`. */
export function syntheticWindow(seq: number, { gc, cgroup, ...over }: WindowOver = {}): SignalWindow {
  return {
    endedAt: new Date(EPOCH_MS + seq * 1000).toISOString(),
    durationMs: 1000,
    seq,
    pod: { namespace: 'test', name: 'synthetic', uid: 'synthetic' },
    container: 'robot',
    containerId: 'c1',
    pids: [1],
    gcPause: stalls(0.5, 2),
    gcAssist: noStalls,
    gcStall: stalls(0.5, 2),
    capturePause: noStalls,
    gc: gc === null ? null : { ...calmGc, ...gc },
    cgroup: cgroup === null ? null : { ...calmCgroup, ...cgroup },
    activeRobots: 5000,
    lostEvents: 0,
    ...over,
  };
}

export function syntheticWindows(
  count: number,
  over: (seq: number) => WindowOver = () => ({}),
  from = 0,
): SignalWindow[] {
  return Array.from({ length: count }, (_, index) => syntheticWindow(from + index, over(from + index)));
}
