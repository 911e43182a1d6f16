/** Tells between ticks that a cgroup's memory pressure begins to break a limit. */
import type { PressureLimits, PressureOnset } from '../model/pressure-onset.ts';

export interface PressureSubject {
  /** Absolute directory of its `memory.pressure`. */
  readonly directory: string;
  readonly limits: PressureLimits;
}

/** Told once for each stretch of pressure. Called synchronously, so it must be quick. */
export type OnPressure = (key: string, onset: PressureOnset) => void;

/** One of several ways: reading again and again (`pressurePoller`), or the kernel's triggers. */
export interface PressureWatch extends Disposable {
  /** Watches from now on. For a known key in the same directory only the limits change. */
  watch(key: string, subject: PressureSubject): void;
  forget(key: string): void;
  /** Watches nothing any more, and lets the process end. */
  close(): void;
}
