/** Which causes say nothing of the signal that opened the incident: they may be there as well, and are not why. */
import type { SignalName } from '../api/index.ts';
import { MEMORY_SIGNALS, MMAP_SIGNALS } from '../model/index.ts';
import type { Cause } from './evidence.ts';

/** However much the collector works, the kernel is not slower for it, and the container has as much memory. */
const OF_THE_COLLECTOR: ReadonlySet<Cause> = new Set<Cause>(['SlowStopping', 'GogcTooLow', 'AllocationBound']);
/** What is left of the confidence in one that does not explain the trigger. */
const BESIDE_THE_POINT = 0.6;

export function weightBy(trigger: SignalName | undefined, cause: Cause): number {
  if (trigger === undefined) return 1;
  const isOfKernel = MMAP_SIGNALS.has(trigger) || MEMORY_SIGNALS.has(trigger);
  return isOfKernel && OF_THE_COLLECTOR.has(cause) ? BESIDE_THE_POINT : 1;
}
