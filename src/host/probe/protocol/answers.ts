/** How the probe answers, and what it says of itself. */
import { z } from 'zod';
import { seq } from './fields.ts';

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

export const attachedEventSchema = z.object({
  type: z.literal('attached'),
  id: z.string(),
  points: z.int(),
  attach: z.enum(['uprobe_multi', 'perf']),
  seq: seq.optional(),
});
export type AttachedEvent = z.infer<typeof attachedEventSchema>;

export const errorEventSchema = z.object({
  type: z.literal('error'),
  code: z.string(),
  /** What happened, to what, what to do. */
  message: z.string(),
  id: z.string().optional(),
  pid: z.int().optional(),
  seq: seq.optional(),
});
export type ErrorEvent = z.infer<typeof errorEventSchema>;
