/** The windows of the latest minute in which the program waited for the collector longer than it may. */
import { checkOf, GC_STALL_SIGNALS, type SignalWindow } from '../model/index.ts';
import type { Facts } from './evidence.ts';

export interface Stalled {
  /** The smallest of the stall limits that are broken; infinite where none is. */
  readonly limitNs: number;
  readonly stalled: readonly SignalWindow[];
}

export function stalledWindows({ recent, broken, evidence }: Pick<Facts, 'recent' | 'broken' | 'evidence'>): Stalled {
  const limits = [...broken].flatMap((signal) =>
    GC_STALL_SIGNALS.has(signal) ? (checkOf(signal).threshold(evidence.thresholds) ?? []) : [],
  );
  const limitNs = Math.min(...limits);
  return { limitNs, stalled: recent.filter(({ gcStall }) => gcStall.maxNs > limitNs) };
}
