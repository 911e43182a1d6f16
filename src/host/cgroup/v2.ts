import { existsSync } from 'node:fs';
import { parsePressure } from '../psi.ts';
import type { CgroupReader, CgroupSample } from '../types.ts';
import { SampleFiles } from './files.ts';
import { parseCount, parseCpuMax, parseCpuStatV2, parseEventsV2, parseLimitV2, parseMemoryStatV2 } from './parse.ts';
import { workingSetBytes } from './working-set.ts';

/** Reads a cgroup of the unified hierarchy (Documentation/admin-guide/cgroup-v2.rst). */
export function openCgroupV2(directory: string): CgroupReader {
  return {
    version: 'v2',
    pressureDirectory: directory,
    read() {
      const files = new SampleFiles();
      const read = <T>(file: string, parse: (text: string) => T | undefined): T | null =>
        files.read(directory, file, parse);
      const memoryCurrentBytes = read('memory.current', parseCount);
      const stat = read('memory.stat', parseMemoryStatV2);
      const sample: CgroupSample = {
        version: 'v2',
        memoryCurrentBytes,
        memoryWorkingSetBytes: workingSetBytes(memoryCurrentBytes, stat),
        memoryLimitBytes: read('memory.max', parseLimitV2)?.value ?? null,
        memoryHighBytes: read('memory.high', parseLimitV2)?.value ?? null,
        memoryPeakBytes: read('memory.peak', parseCount),
        events: read('memory.events', parseEventsV2),
        stat,
        cpu: read('cpu.stat', parseCpuStatV2),
        cpuLimitCores: read('cpu.max', parseCpuMax)?.value ?? null,
        pressure: {
          memory: read('memory.pressure', parsePressure),
          cpu: read('cpu.pressure', parsePressure),
          io: read('io.pressure', parsePressure),
        },
        missing: files.missing,
      };
      return existsSync(directory) ? sample : undefined;
    },
  };
}
