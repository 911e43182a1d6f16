/** Stops of the world, each charged to who caused it. Pure. */
import type { PauseEvent } from '../../host/probe/index.ts';
import {
  exactStalls,
  markTermination,
  type PauseStats,
  type SignalWindow,
  type StallSet,
  type StallStats,
  stallStats,
  stopReason,
  sweepTermination,
} from '../../model/index.ts';
import type { SeenPause } from './types.ts';

/** Whether a capture of ours was under way at that moment. */
export type CapturingAt = (atNs: number) => boolean;

/**
 * The collector's own pauses count. Those of profiling are the capture's while ours runs; at other times somebody else profiles the program.
 * Those, like the program's own stops, are none of the collector's doing.
 */
export function chargedTo({ reason, startNs }: PauseEvent, capturingAt: CapturingAt): SeenPause['chargedTo'] {
  const { cause } = stopReason(reason);
  if (cause === 'gc') return 'gc';
  return cause === 'observation' && capturingAt(startNs) ? 'capture' : 'other';
}

export interface Pauses {
  readonly gc: StallSet;
  readonly gcPause: StallStats;
  /** Null where the program does not tell how long stopping took. */
  readonly gcStopping: StallStats | null;
  readonly gcPauseByReason: NonNullable<SignalWindow['gcPauseByReason']>;
  readonly capturePause: StallStats;
  readonly otherPause: NonNullable<SignalWindow['otherPause']>;
}

export function pausesOf(pauses: readonly PauseEvent[], capturingAt: CapturingAt): Pauses {
  return pauses.length === 0 ? noPauses : dealt(pauses, capturingAt);
}

function dealt(pauses: readonly PauseEvent[], capturingAt: CapturingAt): Pauses {
  const of: Record<SeenPause['chargedTo'], PauseEvent[]> = { gc: [], capture: [], other: [] };
  for (const pause of pauses) of[chargedTo(pause, capturingAt)].push(pause);
  const gc = totals(of.gc);
  return {
    gc,
    gcPause: stallStats([gc]),
    gcStopping: of.gc.some(({ stoppingNs }) => stoppingNs === null) ? null : stallStats([stoppings(of.gc)]),
    gcPauseByReason: {
      sweepTermination: pauseStats(of.gc.filter(({ reason }) => reason === sweepTermination)),
      markTermination: pauseStats(of.gc.filter(({ reason }) => reason === markTermination)),
    },
    capturePause: stallStats([totals(of.capture)]),
    otherPause: of.other.length === 0 ? noOtherPause : otherPause(of.other),
  };
}

function otherPause(pauses: readonly PauseEvent[]): Pauses['otherPause'] {
  const profiling = pauses.filter(({ reason }) => stopReason(reason).cause === 'observation').length;
  return { ...stallStats([totals(pauses)]), profiling };
}

const noOtherPause = otherPause([]);

/** Of most windows: one object for all of them. */
const noPauses = dealt([], () => false);

function pauseStats(pauses: readonly PauseEvent[]): PauseStats {
  const { count, p99Ns, maxNs, sumNs } = stallStats([totals(pauses)]);
  const stopping = stallStats([stoppings(pauses)]);
  return {
    count,
    p99Ns,
    maxNs,
    sumNs,
    stoppingP99Ns: stopping.p99Ns,
    stoppingMaxNs: stopping.maxNs,
    stoppingSumNs: stopping.sumNs,
  };
}

function totals(pauses: readonly PauseEvent[]): StallSet {
  return exactStalls(pauses.map(({ totalNs }) => totalNs));
}

function stoppings(pauses: readonly PauseEvent[]): StallSet {
  return exactStalls(pauses.flatMap(({ stoppingNs }) => stoppingNs ?? []));
}
