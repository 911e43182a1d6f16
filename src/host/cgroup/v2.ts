import { parsePressure } from '../psi.ts';
import type { CgroupReader } from '../types.ts';
import { CgroupFiles } from './files.ts';
import { parseCount, parseCpuMax, parseCpuStatV2, parseEventsV2, parseLimitV2, parseMemoryStatV2 } from './parse.ts';
import { cgroupReader, Stir } from './reader.ts';
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
  const stat = file('memory.stat', parseMemoryStatV2);
  const cpu = file('cpu.stat', parseCpuStatV2);
  const cpuMax = file('cpu.max', parseCpuMax);
  const memoryPressure = file('memory.pressure', parsePressure);
  const cpuPressure = file('cpu.pressure', parsePressure);
  const ioPressure = file('io.pressure', parsePressure);
  const eachTick = [current, max, cpu];
  const unlessCalm = [events, memoryPressure];
  // What is counted in events.local is counted in events too, and swapping stalls, so these cannot move alone.
  const whenMoved = [stat, swap, peak, eventsLocal, cpuPressure, ioPressure];
  const limits = [high, swapMax, cpuMax];
  const stir = new Stir();
  let slowAtMs = 0;
  return cgroupReader({
    version: 'v2',
    pressureDirectory: directory,
    directory,
    files,
    sample(full, calm) {
      for (const each of eachTick) each.read(full);
      if (full || !calm) for (const each of unlessCalm) each.read(full);
      const moved = stir.since(memoryPressure.value?.some.totalNs, events.value);
      if (full || moved) {
        for (const each of whenMoved) each.read(full);
        slowAtMs = performance.now();
      }
      if (full) for (const each of limits) each.read(full);
      return {
        version: 'v2',
        memoryCurrentBytes: current.value,
        memoryWorkingSetBytes: workingSetBytes(current.value, stat.value),
        memoryLimitBytes: max.value?.value ?? null,
        memoryHighBytes: high.value?.value ?? null,
        memoryPeakBytes: peak.value,
        swapBytes: swap.value,
        swapLimitBytes: swapMax.value?.value ?? null,
        events: events.value,
        eventsLocal: eventsLocal.value,
        stat: stat.value,
        slowAtMs,
        cpu: cpu.value,
        cpuLimitCores: cpuMax.value?.value ?? null,
        pressure: { memory: memoryPressure.value, cpu: cpuPressure.value, io: ioPressure.value },
        missing: files.missing(),
      };
    },
  });
}
