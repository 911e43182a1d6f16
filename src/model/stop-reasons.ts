/** What the runtime's stop-the-world reasons mean to us. Pure. */

export type StopCause =
  /** The collector itself: held against the SLA. */
  | 'gc'
  /** Profiling, tracing, memory statistics: possibly our own capture, listed apart. */
  | 'observation'
  /** The program asked for it (GOMAXPROCS, AllThreadsSyscall, a heap dump). */
  | 'program'
  | 'unknown';

export interface StopReason {
  /** The runtime's own words, as in execution traces. */
  readonly name: string;
  readonly cause: StopCause;
}

/** The collector stops the world for these two, `stwGCMarkTerm` and `stwGCSweepTerm`: as a cycle ends, and as it begins. */
export const markTermination = 1;
export const sweepTermination = 2;

/** `stwReason` in runtime/proc.go, the same in Go 1.22 to 1.26, in order of its values. */
const stopReasons: readonly StopReason[] = [
  { name: 'unknown', cause: 'unknown' },
  { name: 'GC mark termination', cause: 'gc' },
  { name: 'GC sweep termination', cause: 'gc' },
  { name: 'write heap dump', cause: 'program' },
  { name: 'goroutine profile', cause: 'observation' },
  { name: 'goroutine profile cleanup', cause: 'observation' },
  { name: 'all goroutines stack trace', cause: 'observation' },
  { name: 'read mem stats', cause: 'observation' },
  { name: 'AllThreadsSyscall', cause: 'program' },
  { name: 'GOMAXPROCS', cause: 'program' },
  { name: 'start trace', cause: 'observation' },
  { name: 'stop trace', cause: 'observation' },
];

/** Looks a `pause` event's `reason` up; a number we do not know is `unknown`, never an error. */
export function stopReason(reason: number): StopReason {
  return stopReasons[reason] ?? { name: `reason ${reason}`, cause: 'unknown' };
}
