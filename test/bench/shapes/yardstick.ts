/** In which seconds a robot broke its SLA, by readings from outside: the same for all, whoever tunes it. Pure. */
import { areAllBack } from './loads.ts';
import type { Reading } from './reading.ts';

/** Why a second does not count as served well. `away`: nobody was served, or not all of the robots are back after their program began anew; `late`: an event was later than promised, or shed; `gc`: the collector took more than its share. */
export const FAULTS = ['away', 'late', 'gc'] as const;
export type Fault = (typeof FAULTS)[number];

export interface Promised {
  readonly gcCpuShare: number;
  /** The collector takes more than its share when it does in so many of the latest seconds. */
  readonly breach: { readonly windows: number; readonly of: number };
}

export interface Judged {
  /** One for each second; null: none. */
  readonly faults: readonly (Fault | null)[];
  /** Of the processors, over the seconds in which it was there. */
  readonly gcCpuShare: number;
  readonly peakBytes: number;
  /** Between one reading and the next. */
  readonly gogcChanges: number;
}

interface Second {
  readonly isServed: boolean;
  readonly isLate: boolean;
  readonly gcSeconds: number;
  readonly cpuSeconds: number;
}

/** Clocks and answers are late by some milliseconds; a process that began anew is younger by seconds. */
const SAME_PROCESS_MS = 1_000;

/** @param readings at the begin of the first second and at the end of each; null: no answer in time */
export function judge(readings: readonly (Reading | null)[], { gcCpuShare, breach }: Promised): Judged {
  const seconds = Array.from({ length: readings.length - 1 }, (_, index) => secondAt(readings, index));
  const over = seconds.map((second) => second !== null && second.gcSeconds > gcCpuShare * second.cpuSeconds);
  const faults = seconds.map((second, index): Fault | null => {
    if (!second?.isServed) return 'away';
    if (second.isLate) return 'late';
    const latest = over.slice(Math.max(0, index + 1 - breach.of), index + 1);
    return latest.filter(Boolean).length >= breach.windows ? 'gc' : null;
  });
  const there = seconds.filter((second) => second !== null);
  const sum = (of: (second: Second) => number): number => there.reduce((total, second) => total + of(second), 0);
  const answered = readings.filter((reading) => reading !== null);
  return {
    faults,
    gcCpuShare: there.length > 0 ? sum(({ gcSeconds }) => gcSeconds) / sum(({ cpuSeconds }) => cpuSeconds) : 0,
    peakBytes: Math.max(0, ...answered.map(({ peakBytes }) => peakBytes)),
    gogcChanges: answered.filter(({ gogc }, index) => index > 0 && answered[index - 1]?.gogc !== gogc).length,
  };
}

/** By the readings nearest around it: a robot that could not say how it is for a moment says so afterwards, for all of that time. Null: they are of two processes, or there are none. */
function secondAt(readings: readonly (Reading | null)[], index: number): Second | null {
  const before = readings.slice(0, index + 1).findLast((reading) => reading !== null);
  const after = readings.slice(index + 1).find((reading) => reading !== null);
  if (!before || !after || after.bornAtMs - before.bornAtMs > SAME_PROCESS_MS) return null;
  return {
    isServed: after.events > before.events && areAllBack(after.uptimeNs / 1e9),
    isLate: after.lateEvents > before.lateEvents || after.droppedEvents > before.droppedEvents,
    gcSeconds: after.gcSeconds - before.gcSeconds,
    cpuSeconds: (after.processors * (after.uptimeNs - before.uptimeNs)) / 1e9,
  };
}
