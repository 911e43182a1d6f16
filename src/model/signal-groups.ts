/** Signals that stand for the same trouble. A set, so that a new signal is put where it belongs in one place. */
import type { SignalName } from '../api/index.ts';

/** What the collector costs by running often: a higher GOGC is an answer to these, and to no other. */
export const GC_COST_SIGNALS: ReadonlySet<SignalName> = new Set<SignalName>([
  'gcStallP99',
  'gcStallMax',
  'gcAssistP99',
  'gcCpuShare',
  'assistShare',
  'gcRate',
  'gcLimiter',
]);

/** How long the program waits for the collector. */
export const GC_STALL_SIGNALS: ReadonlySet<SignalName> = new Set<SignalName>([
  'gcStallP99',
  'gcStallMax',
  'gcPauseP99',
  'gcPauseMax',
  'stoppingP99',
  'gcAssistP99',
]);

/** The program waits for memory, or is about to. */
export const MEMORY_SIGNALS: ReadonlySet<SignalName> = new Set<SignalName>([
  'memoryPressureSome',
  'memoryPressureFull',
  'reclaimStall',
  'memoryShareOfLimit',
  'memoryHighRate',
  'memoryMaxRate',
  'majorFaultRate',
  'refaultRate',
]);

/** The kernel is slow to hand out address space. */
export const MMAP_SIGNALS: ReadonlySet<SignalName> = new Set<SignalName>(['mmapSlowRate', 'mmapVerySlowRate']);
