import { parsePressure } from '../psi.ts';
import type { CgroupReader } from '../types.ts';
import { CgroupFiles } from './files.ts';
import { parseCount, parseCpuMax, parseCpuStatV2, parseEventsV2, parseLimitV2, parseMemoryStatV2 } from './parse.ts';
import { inPod } from './pod.ts';
import { cgroupReader } from './reader.ts';
import { workingSetBytes } from './working-set.ts';

/** Reads a cgroup of the unified hierarchy (Documentation/admin-guide/cgroup-v2.rst). */
export function openCgroupV2(directory: string): CgroupReader {
  const files = new CgroupFiles();
  const file = <T>(name: string, parse: (text: string) => T | undefined) => files.add(directory, name, parse);
  const current = file('memory.current', parseCount);
  const max = file('memory.max', parseLimitV2);
  const high = file('memory.high', parseLimitV2);
  const peak = file('memory.peak', parseCount);
  const swap = file('memory.swap.current', parseCount);
  const swapMax = file('memory.swap.max', parseLimitV2);
  const events = file('memory.events', parseEventsV2);
  const eventsLocal = file('memory.events.local', parseEventsV2);
  const podName = inPod(directory, 'memory.events.local');
  const podEvents = podName === undefined ? [] : [file(podName, parseEventsV2)];
  const stat = file('memory.stat', parseMemoryStatV2);
  const cpu = file('cpu.stat', parseCpuStatV2);
  const cpuMax = file('cpu.max', parseCpuMax);
  const memoryPressure = file('memory.pressure', parsePressure);
  const cpuPressure = file('cpu.pressure', parsePressure);
  const ioPressure = file('io.pressure', parsePressure);
  return cgroupReader({
    version: 'v2',
    pressureDirectory: directory,
    directory,
    files,
    paced: {
      eachTick: [current, max, cpu],
      unlessCalm: [events, ...podEvents, memoryPressure],
      // What is counted in events.local is counted in events too, and swapping stalls, so these cannot move alone.
      whenMoved: [stat, swap, peak, eventsLocal, cpuPressure, ioPressure],
      seldom: [high, swapMax, cpuMax],
    },
    limit: max,
    pressure: memoryPressure,
    events: [events, ...podEvents],
    sample: () => ({
      memoryCurrentBytes: current.value,
      memoryWorkingSetBytes: workingSetBytes(current.value, stat.value),
      memoryLimitBytes: max.value?.value ?? null,
      memoryHighBytes: high.value?.value ?? null,
      memoryPeakBytes: peak.value,
      swapBytes: swap.value,
      swapLimitBytes: swapMax.value?.value ?? null,
      events: events.value,
      eventsLocal: eventsLocal.value,
      podMaxEvents: podEvents[0]?.value?.max ?? null,
      stat: stat.value,
      cpu: cpu.value,
      cpuLimitCores: cpuMax.value?.value ?? null,
      pressure: { memory: memoryPressure.value, cpu: cpuPressure.value, io: ioPressure.value },
    }),
  });
}
