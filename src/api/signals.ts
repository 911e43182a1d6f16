/**
 * Signals: numbers of a window that have a limit. Four have one by every policy; the further ones are judged where a policy sets a limit.
 */
import { z } from 'zod';
import { Bytes, Duration, Percent } from './units.ts';

/** Limits from the SLA, or with a default. */
export const SLA_SIGNALS = ['gcStallP99', 'gcCpuShare', 'memoryPressureSome', 'memoryPressureFull'] as const;

const PerSecond = z.number().min(0).max(1_000_000);
const Count = z.int().min(0).max(1_000_000);

/** Unset: not judged. */
export const FurtherThresholds = z.strictObject({
  gcPauseP99: Duration.optional().describe('P99 of the STW pauses of a window.'),
  gcPauseMax: Duration.optional().describe('Longest STW pause of a window.'),
  stoppingP99: Duration.optional().describe('P99 of the part of STW pauses until all goroutines stood still.'),
  gcAssistP99: Duration.optional().describe('P99 of the mark-assist stalls of a window.'),
  gcStallMax: Duration.optional().describe('Longest STW pause or assist stall of a window.'),
  assistShare: Percent.optional().describe('Share of the CPU that mark assists take from the program.'),
  gcRate: PerSecond.optional().describe('GC cycles per second.'),
  cycleMax: Duration.optional().describe('Longest GC cycle that ended in a window.'),
  markMax: Duration.optional().describe('Longest concurrent mark phase of a cycle that ended in a window.'),
  gcLimiter: z
    .boolean()
    .optional()
    .describe(
      "true: a breach while the runtime's GC CPU limiter is on (GC near half of the CPU, the heap past its goal).",
    ),
  heapLive: Bytes.optional().describe('Live heap after a cycle.'),
  heapGoal: Bytes.optional().describe('Heap at which the next cycle is to end.'),
  liveHeapShareOfLimit: Percent.optional().describe(
    'Live heap as a share of GOMEMLIMIT or the memory limit, the smaller.',
  ),
  allocationRate: Bytes.optional().describe('Bytes that the program allocates per second.'),
  mmapSlowRate: PerSecond.optional().describe('mmap calls of 1 ms and longer, per second.'),
  mmapVerySlowRate: PerSecond.optional().describe('mmap calls of 10 ms and longer, per second.'),
  allocationFailures: Count.optional().describe(
    'System calls for which the kernel had no memory or no address space, over the windows looked at.',
  ),
  reclaimStall: Duration.optional().describe(
    'Longest time in a window for which a thread had to free memory before it got any.',
  ),
  oomKills: Count.optional().describe('Processes that the kernel killed for memory, over the windows looked at.'),
  memoryShareOfLimit: Percent.optional().describe('Working set as a share of memory.max or memory.high, the smaller.'),
  memoryHighRate: PerSecond.optional().describe(
    'How often a second the kernel throttled the container above memory.high.',
  ),
  memoryMaxRate: PerSecond.optional().describe('How often a second the container was about to go over memory.max.'),
  majorFaultRate: PerSecond.optional().describe('Page faults per second that waited for the disk.'),
  refaultRate: PerSecond.optional().describe('Pages per second that came back soon after they were evicted.'),
  throttledShare: Percent.optional().describe(
    'Share of the CFS periods in which the CPU limit held the container back.',
  ),
});
export type FurtherThresholds = z.output<typeof FurtherThresholds>;

export const FurtherSignal = FurtherThresholds.keyof();
export type FurtherSignal = z.infer<typeof FurtherSignal>;

export const SIGNALS = [...SLA_SIGNALS, ...FurtherSignal.options] as const;
export const SignalName = z.enum(SIGNALS);
export type SignalName = z.infer<typeof SignalName>;

/** `flag`: 1 = on, 0 = off. */
export const SignalUnit = z.enum(['ns', 'ratio', '1/s', 'count', 'bytes', 'bytes/s', 'flag']);
export type SignalUnit = z.infer<typeof SignalUnit>;
