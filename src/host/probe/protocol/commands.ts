/** What the agent tells the probe to do. */
import { z } from 'zod';
import { attachmentId, pid, seq } from './fields.ts';

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
