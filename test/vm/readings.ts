/** What the scenarios read of a cgroup's files, and which readings lie around a window of the agent's. */
import { z } from 'zod';
import { SignalWindow } from '../../src/model/index.ts';

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
/** When whoever drives the scenario had it: its files were read after its end and before that, however late. */
export const ArrivedWindow = SignalWindow.extend({ arrivedMs: z.number() });
export type ArrivedWindow = z.infer<typeof ArrivedWindow>;
export const Span = z.object({ name: z.string(), fromMs: z.number(), untilMs: z.number() });
export type Span = z.infer<typeof Span>;

export const kernelNames = { low: 'low', high: 'high', max: 'max', oom: 'oom', oomKill: 'oom_kill' } as const;
export const eventNames = ['low', 'high', 'max', 'oom', 'oomKill'] as const;
export type EventName = (typeof eventNames)[number];

/** Wall clocks of two processes are read in whole milliseconds. */
export const clockMs = 5;

export interface Witnessed {
  readonly window: ArrivedWindow;
  /** The last reading that surely came before the window's files were read. */
  readonly before: Reading;
  /** The first that surely came after. */
  readonly after: Reading;
  /** The two, and all between them. */
  readonly near: readonly Reading[];
}

/** The windows with readings around them. */
export function witnessed(windows: readonly ArrivedWindow[], readings: readonly Reading[]): readonly Witnessed[] {
  return windows.flatMap((window) => {
    const endMs = Date.parse(window.endedAt);
    const first = readings.findLastIndex(({ untilMs }) => untilMs <= endMs - clockMs);
    const last = readings.findIndex(({ fromMs }) => fromMs >= window.arrivedMs + clockMs);
    const [before, after] = [readings[first], readings[last]];
    return before && after ? [{ window, before, after, near: readings.slice(first, last + 1) }] : [];
  });
}

/** The windows that share a moment with the phase of this name. */
export function during<W extends SignalWindow>(
  { phases, windows }: { readonly phases: readonly Span[]; readonly windows: readonly W[] },
  name: string,
): readonly W[] {
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
