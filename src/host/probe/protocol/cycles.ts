/** What the runtime does: pauses, long assists, finished cycles. */
import { z } from 'zod';
import { bytes, ns, pid } from './fields.ts';

/** One stop-the-world, exactly as the runtime accounts it. */
export const pauseEventSchema = z.object({
  type: z.literal('pause'),
  pid,
  tid: z.int(),
  /** The runtime's `stwReason`; see `stopReason()` for what it means. */
  reason: z.int(),
  /** When the runtime began to stop the world. */
  startNs: ns,
  /** How long it took until every P had stopped; null where it is not known. */
  stoppingNs: ns.nullable(),
  /** From the beginning of stopping to the world running again: what `/sched/pauses/total/*` counts. */
  totalNs: ns,
  /** From `startNs` until the runtime began to start the world again. Of mark termination the runtime takes the end before that. */
  restartNs: ns.optional(),
  /** Time that Ps stood still while others had not stopped yet, of all together: what the runtime charges as CPU time. Since Go 1.23. */
  stoppingCpuNs: ns.optional(),
});
export type PauseEvent = z.infer<typeof pauseEventSchema>;

/** One goroutine held up by `runtime.gcAssistAlloc` for 1 ms or longer (shorter ones are in the histogram only). */
export const assistEventSchema = z.object({
  type: z.literal('assist'),
  pid,
  /** Address of the runtime's `g`, an identity only: another goroutine may have it later. */
  g: z.number(),
  /** The goroutine's number, as execution traces and stack dumps name it; absent where the request had no `goidOffset`. */
  goid: z.int().positive().optional(),
  startNs: ns,
  durationNs: ns,
});
export type AssistEvent = z.infer<typeof assistEventSchema>;

/**
 * One finished GC cycle: `runtime.gcController` as read when the world restarts after mark termination, when
 * the runtime has committed this cycle's live heap and the next cycle's goal.
 */
export const cycleEventSchema = z.object({
  type: z.literal('cycle'),
  pid,
  atNs: ns,
  /** GOMAXPROCS as the cycle ended. */
  procs: z.int(),
  /** True when `runtime.GC()` or `debug.FreeOSMemory()` asked for it. */
  userForced: z.boolean(),
  /** GOGC; −1 is off. */
  gcPercent: z.int(),
  /** GOMEMLIMIT; null when there is none. */
  memoryLimitBytes: bytes.nullable(),
  heapMinimumBytes: bytes,
  /**
   * The next cycle's goal by the runtime's own `heapGoalInternal()`: the lesser of the GOGC goal and the
   * memory limit's goal; equals `/gc/heap/goal:bytes` at this moment. Null when GOGC is off and there is no limit.
   */
  heapGoalBytes: bytes.nullable(),
  /** True when the memory limit, not GOGC, sets that goal. */
  goalByMemoryLimit: z.boolean(),
  /** Heap size at which the finished cycle began to mark; null when its end was not seen. */
  triggeredBytes: bytes.nullable(),
  /** The goal that the finished cycle had. */
  lastHeapGoalBytes: bytes.nullable(),
  /** Live heap plus what was allocated since marking ended; the world is stopped, so equal to or just above marked. */
  heapLiveBytes: bytes,
  /** Live heap of the finished cycle: `/gc/heap/live:bytes`. */
  heapMarkedBytes: bytes,
  lastStackScanBytes: bytes,
  globalsScanBytes: bytes,
  /** CPU time, not wall time, that this cycle's mark assists, workers took. */
  assistNs: ns,
  dedicatedNs: ns,
  fractionalNs: ns,
  idleNs: ns,
  /** When the cycle's mark phase began. */
  markStartNs: ns,
  totalAllocBytes: bytes,
  totalFreeBytes: bytes,
  mappedReadyBytes: bytes,
  heapInUseBytes: bytes,
  heapReleasedBytes: bytes,
  heapFreeBytes: bytes,
});
export type CycleEvent = z.infer<typeof cycleEventSchema>;
