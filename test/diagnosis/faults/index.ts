/** All that is recorded. */
import type { Fault } from '../fault.ts';
import { calm, notGc } from './calm.ts';
import { allocationBound, gogcTooLow, slowStopping } from './collector.ts';
import { cpuThrottling } from './cpu.ts';
import { goroutineLeak, leak } from './leaks.ts';
import { memoryLimitTooTight, memoryMapping, nodePressure, pageFaults } from './memory.ts';

export const faults: readonly Fault[] = [
  calm,
  notGc,
  gogcTooLow,
  allocationBound,
  slowStopping,
  cpuThrottling,
  memoryLimitTooTight,
  leak,
  goroutineLeak,
  nodePressure,
  memoryMapping,
  pageFaults,
].flat();
