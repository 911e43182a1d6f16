/**
 * What the agent and `robotgc-probe` say to each other: one JSON object a line, commands on the probe's
 * stdin, events on its stdout. All times are nanoseconds on CLOCK_MONOTONIC, which is the Go runtime's own
 * `nanotime`, all sizes are bytes, all pids are as the probe's own pid namespace shows them.
 */
import { z } from 'zod';

export const probeProtocol = 3;

/** No line in either direction is longer; the probe refuses a longer command, the client a longer event. */
export const maxLineBytes = 64 * 1024;

export const maxAttachments = 250;
export const maxPointsPerAttachment = 64;

export const pointKinds = [
  'stwEntry',
  'stwRet',
  'stwStopped',
  'assistEntry',
  'assistRet',
  'assistExit',
  'cycleEnd',
  'heapGrow',
  'assistSlowBegin',
  'assistSlowEnd',
  'tlsClientEntry',
  'tlsClientRet',
  'tlsServerEntry',
  'tlsServerRet',
  'sslEntry',
  'sslReturn',
  'pollParkBegin',
  'pollParkEnd',
  'sslFree',
] as const;

/** One instruction to stop at: where it is in the file, and which bytes must be found there. */
export const attachPointSchema = z.object({
  point: z.enum(pointKinds),
  /**
   * Offset in the file (not an address). Entries: the PUSH after the stack check. Rets: each RET instruction. Exits, begins and
   * ends: relative jumps. `stwStopped`: a CALL. `sslReturn`: the function's entry again, for a uretprobe; C code only.
   */
  offset: z.int().nonnegative(),
  /** Hex, 1 to 32 bytes. The probe refuses the whole attachment when the file holds anything else. */
  bytes: z.string().regex(/^([0-9a-f]{2}){1,32}$/),
});
export type AttachPoint = z.infer<typeof attachPointSchema>;

const fieldOffset = z.int().min(0).max(504);

/** Byte offsets of fields in `runtime.gcControllerState`, named as the Go source names them. */
export const gcControllerLayoutSchema = z.object({
  gcPercent: fieldOffset,
  memoryLimit: fieldOffset,
  heapMinimum: fieldOffset,
  gcPercentHeapGoal: fieldOffset,
  /** Optional: without it a goal raised by unfinished sweeping is reported as the plain GOGC goal. */
  sweepDistMinTrigger: fieldOffset.optional(),
  triggered: fieldOffset,
  lastHeapGoal: fieldOffset,
  heapLive: fieldOffset,
  lastStackScan: fieldOffset,
  globalsScan: fieldOffset,
  heapMarked: fieldOffset,
  assistTime: fieldOffset,
  dedicatedMarkTime: fieldOffset,
  fractionalMarkTime: fieldOffset,
  idleMarkTime: fieldOffset,
  markStartTime: fieldOffset,
  heapInUse: fieldOffset,
  heapReleased: fieldOffset,
  heapFree: fieldOffset,
  totalAlloc: fieldOffset,
  totalFree: fieldOffset,
  mappedReady: fieldOffset,
});
export type GcControllerLayout = z.infer<typeof gcControllerLayoutSchema>;

const attachmentId = z.string().min(1).max(63);
const pid = z.int().positive();
const seq = z.int().nonnegative();
const ns = z.number().nonnegative();
const bytes = z.number().nonnegative();

/** Points for one file. One attachment per inode: the caller makes sure that an inode has one id only. */
export const attachRequestSchema = z.object({
  id: attachmentId,
  /** Absolute path, typically `/proc/PID/exe`, which also reaches through mount namespaces. */
  file: z.string().startsWith('/').max(4095),
  points: z.array(attachPointSchema).min(1).max(maxPointsPerAttachment),
  /** Without a layout no `cycle` events come. */
  layout: gcControllerLayoutSchema.optional(),
  /** False for Go 1.22, whose `worldStop` has no `finishedStopping`: then `stoppingNs` is null but for `stwStopped` points. Default true. */
  stoppingKnown: z.boolean().optional(),
  /** Offset of `goid` in `runtime.g`. */
  goidOffset: z.int().min(1).max(4096).optional(),
});
export type AttachRequest = z.infer<typeof attachRequestSchema>;

/**
 * A trigger of pressure stall information (Documentation/accounting/psi.rst): told when tasks of a cgroup stalled for `stallUs` within any
 * `windowUs`. Without CAP_SYS_RESOURCE the kernel grants windows of whole multiples of 2 s only.
 */
export const triggerRequestSchema = z.object({
  id: attachmentId,
  /** Absolute path of a cgroup v2's `memory.pressure`, `cpu.pressure` or `io.pressure`. */
  file: z.string().startsWith('/').max(4095),
  line: z.enum(['some', 'full']),
  stallUs: z.int().positive(),
  windowUs: z.int().min(500_000).max(10_000_000),
});
export type TriggerRequest = z.infer<typeof triggerRequestSchema>;

/** Every command may carry a `seq`, which its answer repeats. */
export const commandSchema = z.discriminatedUnion('cmd', [
  attachRequestSchema.extend({ cmd: z.literal('attach'), seq: seq.optional() }),
  z.object({ cmd: z.literal('watch'), pid, id: attachmentId, seq: seq.optional() }),
  z.object({ cmd: z.literal('unwatch'), pid, seq: seq.optional() }),
  /** Whether the process runs the file of that attachment: asks the kernel for the inode behind every mount of it. */
  z.object({ cmd: z.literal('runs'), pid, id: attachmentId, seq: seq.optional() }),
  z.object({ cmd: z.literal('detach'), id: attachmentId, seq: seq.optional() }),
  z.object({ cmd: z.literal('flush'), seq }),
  z.object({ cmd: z.literal('ping'), seq }),
  triggerRequestSchema.extend({ cmd: z.literal('trigger'), seq: seq.optional() }),
  z.object({ cmd: z.literal('untrigger'), id: attachmentId, seq: seq.optional() }),
]);
export type Command = z.infer<typeof commandSchema>;

/** Codes the probe itself sends. An unknown code from a newer probe is kept as it is. */
export const wireErrorCodes = [
  'ALREADY_ATTACHED',
  'ATTACH_FAILED',
  'BAD_COMMAND',
  'BYTES_DIFFER',
  'FOREIGN_PID_NAMESPACE',
  'INTERNAL',
  'NO_BPF',
  'NO_PERMISSION',
  'NO_SUCH_FILE',
  'NO_SUCH_PROCESS',
  'NOT_ATTACHED',
  'NOT_WATCHED',
  'TOO_MANY_ATTACHMENTS',
  'TOO_MANY_TARGETS',
  'TRIGGER_FAILED',
  'TRIGGER_REFUSED',
] as const;
export type WireErrorCode = (typeof wireErrorCodes)[number];

export const readyEventSchema = z.object({
  type: z.literal('ready'),
  protocol: z.int(),
  version: z.string(),
  attach: z.enum(['uprobe_multi', 'perf']),
  kernel: z.string(),
  /** Signals that this kernel does not give, and why. */
  missing: z.array(z.object({ signal: z.string(), reason: z.string() })),
});
export type ReadyEvent = z.infer<typeof readyEventSchema>;

const attachedEventSchema = z.object({
  type: z.literal('attached'),
  id: z.string(),
  points: z.int(),
  attach: z.enum(['uprobe_multi', 'perf']),
  seq: seq.optional(),
});
export type AttachedEvent = z.infer<typeof attachedEventSchema>;

const errorEventSchema = z.object({
  type: z.literal('error'),
  code: z.string(),
  /** What happened, to what, what to do. */
  message: z.string(),
  id: z.string().optional(),
  pid: z.int().optional(),
  seq: seq.optional(),
});
export type ErrorEvent = z.infer<typeof errorEventSchema>;

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

/**
 * Waits for the kernel's memory management. Reclaim is memory that the process's own threads had to free before they got any: `reclaimDirect`
 * for the machine, `reclaimMemcg` for a cgroup at its limit.
 */
export const memoryWaitKinds = ['mmap', 'munmap', 'reclaimDirect', 'reclaimMemcg'] as const;
export type MemoryWaitKind = (typeof memoryWaitKinds)[number];

/** Handshakes, connections, and reads that had to wait for data (seen only while their points are attached). */
export const networkKinds = ['tlsClient', 'tlsServer', 'openssl', 'connect', 'read'] as const;
export type NetworkKind = (typeof networkKinds)[number];

/** Durations that are counted one and all, whatever their length. */
export const countedKinds = [...memoryWaitKinds, 'assist', ...networkKinds] as const;
export type CountedKind = (typeof countedKinds)[number];

/**
 * All durations of one kind in one process since the last flush. A bucket counts the durations above the previous
 * possible bucket's bound up to and including its own; no bucket is wider than 1/16 (6.25 %) of its lower bound.
 * Only buckets with a count are listed, in rising order.
 */
export const histogramEventSchema = z.object({
  type: z.literal('histogram'),
  of: z.enum(countedKinds),
  pid,
  count: z.number().int().nonnegative(),
  sumNs: ns,
  maxNs: ns,
  /** Of those counted; absent when none did. Handshake: ended with an error. Connect: no connection came of it. */
  failed: z.number().int().nonnegative().optional(),
  buckets: z.array(z.tuple([ns, z.number().int().positive()])),
  /** Waits for memory only, as are the next two: those of 1 ms and longer. */
  slow: z.int().nonnegative().optional(),
  /** Of 10 ms and longer. */
  verySlow: z.int().nonnegative().optional(),
  /** Those that began while a GC cycle of the process was marking, and how long they took together. */
  whileMarking: z.object({ count: z.int().nonnegative(), sumNs: ns }).optional(),
});
export type HistogramEvent = z.infer<typeof histogramEventSchema>;

/**
 * Assists were so many that they were looked at for `observedNs` of the last `spanNs` only, at random moments: their histogram holds what
 * began then. Without this event it holds every one.
 */
export const sampledEventSchema = z.object({
  type: z.literal('sampled'),
  pid,
  observedNs: ns,
  spanNs: ns,
  /** Stalls that began while it was looked, and had not ended 50 ms later. */
  unfinished: z.int().nonnegative(),
});
export type SampledEvent = z.infer<typeof sampledEventSchema>;

const occurrences = z.object({
  count: z.int().nonnegative(),
  /** Of those, while a GC cycle of the process was marking. */
  whileMarking: z.int().nonnegative(),
});

/** Counts of one process since the last flush; absent when all are 0. */
export const countsEventSchema = z.object({
  type: z.literal('counts'),
  pid,
  /** How often the heap asked the kernel for more address space. */
  heapGrows: occurrences,
  /** mmap calls that the kernel refused, for whatever reason. */
  mmapFailures: occurrences,
  /** System calls, mmap among them, for which the kernel had no memory or no address space (ENOMEM). */
  allocationFailures: occurrences,
  /** 1 when the kernel's OOM killer chose this process. */
  oomVictims: occurrences,
  /** Events of this process that the kernel's ring had no room for, or cycles whose facts could not be read. */
  lostEvents: occurrences,
  /** Network waits that lasted long enough to be told one by one, and were too many for that: they are in the histograms. */
  untoldWaits: occurrences,
  /** Handshakes and connections that are in no histogram: too many were under way at the same time, or they had begun before the watch. */
  untimedWaits: occurrences,
});
export type CountsEvent = z.infer<typeof countsEventSchema>;

export const waitKinds = [...memoryWaitKinds, ...networkKinds] as const;
export type WaitKind = (typeof waitKinds)[number];

/**
 * One wait: for memory or in a read from 1 ms on, for a handshake or a connection from 10 ms on. Of each kind of network wait the first 32 of
 * a process in each second; `untoldWaits` counts the rest.
 */
export const waitEventSchema = z.object({
  type: z.literal('wait'),
  on: z.enum(waitKinds),
  pid,
  tid: z.int(),
  startNs: ns,
  durationNs: ns,
  /**
   * Whether a GC cycle of this process was marking as the wait began (for memory) or ended (on the network); null before its first world stop
   * was seen.
   */
  marking: z.boolean().nullable(),
  /** mmap: refused. Handshake: ended with an error. Connect: no connection came of it. */
  failed: z.boolean(),
  /** Connect only: `192.0.2.1:443` or `[2001:db8::1]:443`. */
  peer: z.string().optional(),
});
export type WaitEvent = z.infer<typeof waitEventSchema>;

/** A watched process has executed another program: nothing of it is seen until it is watched anew. */
const execEventSchema = z.object({ type: z.literal('exec'), pid, atNs: ns });

/** What a trigger tells, at once; `pressureGone`: its cgroup has ended, and the trigger with it. */
const pressureEventSchemas = [
  z.object({ type: z.literal('pressure'), id: z.string(), atNs: ns }),
  z.object({ type: z.literal('pressureGone'), id: z.string() }),
] as const;
export type TriggerEvent = z.infer<(typeof pressureEventSchemas)[number]>;

export const eventSchema = z.discriminatedUnion('type', [
  readyEventSchema,
  attachedEventSchema,
  z.object({ type: z.literal('detached'), id: z.string(), seq: seq.optional() }),
  z.object({ type: z.literal('watching'), pid, seq: seq.optional() }),
  z.object({ type: z.literal('unwatched'), pid, seq: seq.optional() }),
  /** Null where the kernel does not tell (before Linux 6.1), and of a process that has ended. */
  z.object({ type: z.literal('runs'), pid, id: z.string(), runs: z.boolean().nullable(), seq: seq.optional() }),
  /** A watched process ended; the probe has already forgotten it. */
  z.object({ type: z.literal('gone'), pid }),
  errorEventSchema,
  pauseEventSchema,
  assistEventSchema,
  cycleEventSchema,
  histogramEventSchema,
  sampledEventSchema,
  countsEventSchema,
  waitEventSchema,
  execEventSchema,
  /** Events since the last flush that the kernel's ring had no room for, or cycles whose facts could not be read; of all processes. */
  z.object({ type: z.literal('lost'), count: z.number().int().positive() }),
  z.object({ type: z.literal('flushed'), seq, atNs: ns }),
  z.object({ type: z.literal('pong'), seq }),
  z.object({ type: z.literal('triggerSet'), id: z.string(), seq: seq.optional() }),
  z.object({ type: z.literal('triggerCleared'), id: z.string(), seq: seq.optional() }),
  ...pressureEventSchemas,
]);
export type ProbeEvent = z.infer<typeof eventSchema>;

const knownTypes: ReadonlySet<string> = new Set(eventSchema.options.map((option) => option.shape.type.value));

export type ParsedLine =
  | { kind: 'event'; event: ProbeEvent }
  /** A well-formed event of a type this version does not know: to be counted and passed over. */
  | { kind: 'unknown'; type: string }
  | { kind: 'invalid'; reason: string };

const envelopeSchema = z.looseObject({ type: z.string() });

/** Parses one line of the probe's stdout. Never throws. */
export function parseEventLine(line: string): ParsedLine {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { kind: 'invalid', reason: 'not JSON' };
  }
  const envelope = envelopeSchema.safeParse(value);
  if (!envelope.success) return { kind: 'invalid', reason: 'not an object with a type' };
  if (!knownTypes.has(envelope.data.type)) return { kind: 'unknown', type: envelope.data.type };
  const event = eventSchema.safeParse(value);
  if (event.success) return { kind: 'event', event: event.data };
  return { kind: 'invalid', reason: z.prettifyError(event.error) };
}
