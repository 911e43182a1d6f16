/** What the scenarios read of a cgroup's files, and which readings lie around a window of the agent's. */
import { z } from 'zod';
import type { SignalWindow } from '../../src/model/index.ts';

const counts = z.record(z.string(), z.number());
export const Reading = z.object({
  fromMs: z.number(),
  untilMs: z.number(),
  current: z.number(),
  peak: z.number(),
  swap: z.number(),
  max: z.number().nullable(),
  high: z.number().nullable(),
  events: counts,
  eventsLocal: counts,
  stat: counts,
  someUs: z.number(),
  fullUs: z.number(),
  cpu: counts,
});
export type Reading = z.infer<typeof Reading>;
export const Span = z.object({ name: z.string(), fromMs: z.number(), untilMs: z.number() });
export type Span = z.infer<typeof Span>;

export const kernelNames = { low: 'low', high: 'high', max: 'max', oom: 'oom', oomKill: 'oom_kill' } as const;
export const eventNames = ['low', 'high', 'max', 'oom', 'oomKill'] as const;
export type EventName = (typeof eventNames)[number];

/** Wall clocks of two processes are read in whole milliseconds, and a window's files a moment after its end. */
export const clockMs = 5;
export const readingMs = 400;

/** The last reading that surely came before the window's files were read, and the first that surely came after. */
export function around(
  { readings, final }: { readonly readings: readonly Reading[]; readonly final: Reading },
  { endedAt }: SignalWindow,
  withinMs = readingMs,
): { readonly before: Reading | undefined; readonly after: Reading } {
  const endMs = Date.parse(endedAt);
  return {
    before: readings.findLast(({ untilMs }) => untilMs <= endMs - clockMs),
    after: readings.find(({ fromMs }) => fromMs >= endMs + withinMs) ?? final,
  };
}

/** The windows that share a moment with the phase of this name. */
export function during(
  { phases, windows }: { readonly phases: readonly Span[]; readonly windows: readonly SignalWindow[] },
  name: string,
): readonly SignalWindow[] {
  const phase = phases.find((each) => each.name === name);
  if (phase === undefined) throw new Error(`no phase "${name}"`);
  return windows.filter((window) => {
    const endMs = Date.parse(window.endedAt);
    return endMs >= phase.fromMs && endMs - window.durationMs <= phase.untilMs;
  });
}

/** How often the windows saw an event: of the cgroup and those below it, or of itself alone. */
export function total(
  windows: readonly SignalWindow[],
  event: EventName,
  of: 'events' | 'eventsLocal' = 'events',
): number {
  return windows.reduce((sum, { cgroup }) => sum + (cgroup?.[of]?.[event] ?? 0), 0);
}
