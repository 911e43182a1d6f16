/**
 * What the agent and `robotgc-probe` say to each other: one JSON object a line, commands on the probe's
 * stdin, events on its stdout. All times are nanoseconds on CLOCK_MONOTONIC, which is the Go runtime's own
 * `nanotime`, all sizes are bytes, all pids are as the probe's own pid namespace shows them.
 */
import { z } from 'zod';
import { attachedEventSchema, errorEventSchema, readyEventSchema } from './protocol/answers.ts';
import { assistEventSchema, cycleEventSchema, pauseEventSchema } from './protocol/cycles.ts';
import { ns, pid, seq } from './protocol/fields.ts';
import { isUsual } from './protocol/usual.ts';
import { countsEventSchema, histogramEventSchema, sampledEventSchema, waitEventSchema } from './protocol/waits.ts';

export const probeProtocol = 3;

/** No line in either direction is longer; the probe refuses a longer command, the client a longer event. */
export const maxLineBytes = 64 * 1024;

export * from './protocol/answers.ts';
export * from './protocol/commands.ts';
export * from './protocol/cycles.ts';
export * from './protocol/waits.ts';

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

const schemas: ReadonlyMap<string, z.ZodType<ProbeEvent>> = new Map(
  eventSchema.options.map((option) => [option.shape.type.value, option]),
);

export type ParsedLine =
  | { kind: 'event'; event: ProbeEvent }
  /** A well-formed event of a type this version does not know: to be counted and passed over. */
  | { kind: 'unknown'; type: string }
  | { kind: 'invalid'; reason: string };

/** Parses one line of the probe's stdout. Never throws. */
export function parseEventLine(line: string): ParsedLine {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { kind: 'invalid', reason: 'not JSON' };
  }
  if (!hasType(value)) return { kind: 'invalid', reason: 'not an object with a type' };
  if (isUsual(value)) return { kind: 'event', event: value };
  const schema = schemas.get(value.type);
  if (schema === undefined) return { kind: 'unknown', type: value.type };
  const event = schema.safeParse(value);
  if (event.success) return { kind: 'event', event: event.data };
  return { kind: 'invalid', reason: z.prettifyError(event.error) };
}

function hasType(value: unknown): value is { readonly type: string } {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}
