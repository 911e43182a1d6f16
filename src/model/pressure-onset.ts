/** When pressure begins to break a limit: one event for each stretch above it. Pure. */
import { type StallReading, TrailingStall } from './trailing-stall.ts';

/** Shares of the trailing window above which pressure is a breach; as `Thresholds` has them. */
export interface PressureLimits {
  readonly memoryPressureSome: number;
  readonly memoryPressureFull: number;
}

/** For a container of which several policies speak: each limit of the strictest. */
export function strictest(limits: PressureLimits, others: PressureLimits | undefined): PressureLimits {
  return {
    memoryPressureSome: Math.min(limits.memoryPressureSome, others?.memoryPressureSome ?? Number.POSITIVE_INFINITY),
    memoryPressureFull: Math.min(limits.memoryPressureFull, others?.memoryPressureFull ?? Number.POSITIVE_INFINITY),
  };
}

export interface PressureOnset {
  readonly signal: 'memoryPressureSome' | 'memoryPressureFull';
  /** Share of the trailing window stalled. */
  readonly share: number;
  readonly limit: number;
  readonly windowNs: number;
  /** Monotonic time of the reading that showed it. */
  readonly atNs: number;
  /** The kernel's own trigger, or reading again and again where none is granted. */
  readonly toldBy: 'trigger' | 'reading';
}

/** The same length as a signal window's: what is told early is what the window would say if it ended now. */
export const TRAILING_WINDOW_NS = 1e9;

class Line {
  readonly #signal: PressureOnset['signal'];
  readonly #stall = new TrailingStall(TRAILING_WINDOW_NS);
  #above = false;

  constructor(signal: PressureOnset['signal']) {
    this.#signal = signal;
  }

  /** Above the limit once; again only after the share was below half of it. */
  judge(reading: StallReading, limit: number): PressureOnset[] {
    const share = this.#stall.share(reading);
    const begins = !this.#above && share > limit;
    if (begins) this.#above = true;
    else if (share <= limit / 2) this.#above = false;
    if (!begins) return [];
    const { windowNs } = this.#stall;
    return [{ signal: this.#signal, share, limit, windowNs, atNs: reading.atNs, toldBy: 'reading' }];
  }
}

/** Totals of both lines of memory.pressure, read in one moment. `fullNs` is null where the kernel has no such line. */
export interface PressureTotals {
  readonly atNs: number;
  readonly someNs: number;
  readonly fullNs: number | null;
}

/** Remembers one cgroup's last second. */
export class PressureJudge {
  readonly #full = new Line('memoryPressureFull');
  readonly #some = new Line('memoryPressureSome');

  /** What begins at this reading; the more urgent first. */
  judge({ atNs, someNs, fullNs }: PressureTotals, limits: PressureLimits): PressureOnset[] {
    const full = fullNs === null ? [] : this.#full.judge({ atNs, totalNs: fullNs }, limits.memoryPressureFull);
    return [...full, ...this.#some.judge({ atNs, totalNs: someNs }, limits.memoryPressureSome)];
  }
}
