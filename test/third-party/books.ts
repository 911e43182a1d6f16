/** What Prometheus' Go collector tells of its own program's collections (debug.GCStats), and what a watcher saw of them. Pure. */
import type { CycleEvent, PauseEvent } from '../../src/host/probe/index.ts';

export interface OwnBooks {
  readonly cycles: number;
  readonly pausesNs: number;
  /** When it was asked, and when it had answered, on CLOCK_MONOTONIC. */
  readonly askedNs: number;
  readonly answeredNs: number;
}

export function gcOf(metrics: string): { cycles: number; pausesNs: number } {
  const value = (name: string): number =>
    Number(new RegExp(`^go_gc_duration_seconds_${name} (\\S+)$`, 'm').exec(metrics)?.[1]);
  return { cycles: value('count'), pausesNs: value('sum') * 1e9 };
}

export interface SeenCycle {
  readonly atNs: number;
  /** Both stops of it, as long as the scheduler counts them. */
  readonly pausesNs: number;
  /** As long as debug.GCStats counts them: of mark termination the end is taken before the world is started again. */
  readonly untilRestartNs: number;
}

export function seenCycles(cycles: readonly CycleEvent[], pauses: readonly PauseEvent[]): SeenCycle[] {
  const stops = pauses.filter(({ reason }) => reason === 1 || reason === 2).sort((a, b) => a.startNs - b.startNs);
  return cycles.map(({ atNs }, i) => {
    const from = cycles[i - 1]?.atNs ?? Number.NEGATIVE_INFINITY;
    const own = stops.filter(({ startNs }) => startNs > from && startNs <= atNs);
    const sum = (of: (pause: PauseEvent) => number): number => own.reduce((total, pause) => total + of(pause), 0);
    return {
      atNs,
      pausesNs: sum(({ totalNs }) => totalNs),
      untilRestartNs: sum(({ reason, totalNs, restartNs }) => (reason === 1 ? (restartNs ?? totalNs) : totalNs)),
    };
  });
}

/** Those that ended between two answers of the program for certain, and those that may have. */
export function between(cycles: readonly SeenCycle[], before: OwnBooks, after: OwnBooks) {
  const within = (fromNs: number, toNs: number) => cycles.filter(({ atNs }) => atNs > fromNs && atNs < toNs);
  return { certain: within(before.answeredNs, after.askedNs), possible: within(before.askedNs, after.answeredNs) };
}
