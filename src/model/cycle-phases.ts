/**
 * A GC cycle's phases and what triggered it, from its pauses and its end. Pure.
 *
 * The runtime stops the world twice a cycle: for sweep termination as it begins, for mark termination as it ends; between the two it marks
 * while the program runs. `GODEBUG=gctrace=1` prints the same three.
 */

import { markTermination, sweepTermination } from './stop-reasons.ts';

/** What triggered a cycle: the heap reached its trigger, two minutes had passed without one, or the program asked for it. */
export type CycleTrigger = 'heap' | 'time' | 'forced';

/** Null where a pause was not seen, or, for `trigger`, where the cycle before was not. */
export interface CyclePhases {
  readonly trigger: CycleTrigger | null;
  /** The whole pause, until the world runs again. */
  readonly sweepTerminationNs: number | null;
  readonly concurrentMarkNs: number | null;
  readonly markTerminationNs: number | null;
}

/** A stop of the world; `reason` as the runtime numbers it. */
export interface PhasePause {
  readonly reason: number;
  readonly startNs: number;
  readonly totalNs: number;
}

/** The end of a cycle; fields as in the probe's cycle events. */
export interface PhaseCycle {
  readonly atNs: number;
  readonly markStartNs: number;
  readonly userForced: boolean;
  readonly triggeredBytes: number | null;
  readonly heapMarkedBytes: number;
  readonly lastHeapGoalBytes: number | null;
}

/** `forcegcperiod` (runtime/proc.go), Go 1.22 to 1.26. */
export const forcePeriodNs = 120e9;
/** `minTriggerRatioDistance` (runtime/mgcpacer.go) = 0.7, the same versions: the heap triggers no cycle below this share of the way to its goal. */
const leastTriggerShare = 0.7;

/**
 * Cycles of one process, each with its phases. A cycle is given back when its last pause has been seen, which is right after it; where that
 * was lost, when something later is seen.
 */
export class PhaseJoin<Cycle extends PhaseCycle> {
  #sweepTerminations: PhasePause[] = [];
  #pending: Cycle | null = null;
  #before: Cycle | null = null;

  /** @param pauses, cycles those seen since the last call, each in order of time */
  join(pauses: readonly PhasePause[], cycles: readonly Cycle[]): (Cycle & CyclePhases)[] {
    // What waits for its last pause goes on waiting.
    if (pauses.length === 0 && cycles.length === 0) return [];
    const ends = pauses.filter(({ reason }) => reason === markTermination);
    this.#sweepTerminations.push(...pauses.filter(({ reason }) => reason === sweepTermination));
    const open = this.#pending ? [this.#pending, ...cycles] : cycles;
    this.#pending = null;
    const joined: (Cycle & CyclePhases)[] = [];
    for (const cycle of open) {
      const end = ends.findLast((pause) => isEndOf(pause, cycle));
      const isLatest = cycle === open.at(-1) && pauses.every(({ startNs }) => startNs <= cycle.atNs);
      if (!end && isLatest) this.#pending = cycle;
      else joined.push(this.#close(cycle, end ?? null));
    }
    return joined;
  }

  #close(cycle: Cycle, end: PhasePause | null): Cycle & CyclePhases {
    // It is asked for right before the pause begins.
    const begin = this.#sweepTerminations.find(({ startNs }) => startNs >= cycle.markStartNs && startNs <= cycle.atNs);
    this.#sweepTerminations = this.#sweepTerminations.filter(({ startNs }) => startNs > cycle.atNs);
    const before = this.#before;
    this.#before = cycle;
    return {
      ...cycle,
      trigger: triggerOf(cycle, before),
      sweepTerminationNs: begin?.totalNs ?? null,
      concurrentMarkNs: begin && end ? Math.max(0, end.startNs - (begin.startNs + begin.totalNs)) : null,
      markTerminationNs: end?.totalNs ?? null,
    };
  }
}

/** From the time that the runtime takes as the pause's end to where a cycle's facts are read, a thread may lose its processor. */
const nearNs = 10e6;

/** Other pauses for mark termination are earlier: those after which there was more to mark. */
function isEndOf({ startNs, totalNs }: PhasePause, { markStartNs, atNs }: PhaseCycle): boolean {
  return startNs >= markStartNs && startNs <= atNs && atNs - (startNs + totalNs) <= nearNs;
}

/**
 * The runtime does not keep it. A cycle that began two minutes or more after the last one's end, at a heap that could not trigger it, was
 * begun by the clock.
 *
 * @param periodNs of a runtime that forces cycles at another pace, as one made for a test does
 */
export function triggerOf(cycle: PhaseCycle, before: PhaseCycle | null, periodNs = forcePeriodNs): CycleTrigger | null {
  if (cycle.userForced) return 'forced';
  if (before === null) return null;
  if (cycle.markStartNs - before.atNs < periodNs) return 'heap';
  return couldHeapTrigger(cycle, before) ? 'heap' : 'time';
}

function couldHeapTrigger({ triggeredBytes, lastHeapGoalBytes }: PhaseCycle, before: PhaseCycle): boolean {
  if (triggeredBytes === null || lastHeapGoalBytes === null) return false;
  const runway = Math.max(0, lastHeapGoalBytes - before.heapMarkedBytes);
  return triggeredBytes >= before.heapMarkedBytes + leastTriggerShare * runway;
}
