/** Shares of a window from two readings of pressure stall information. Pure. */
import type { NodePressure, Pressure } from '../../host/index.ts';
import type { CgroupFacts, PressureShare } from '../../model/window.ts';
import { remembered } from '../remembered.ts';
import { rise } from './rise.ts';

// Of most windows: one object for all of them.
const noPressure: PressureShare = { some: 0, full: 0 };
const noPressureOfSome: PressureShare = { some: 0, full: null };

/** Share of the window stalled: Δ`total` ÷ window, at most 1. Null where the kernel tells no such pressure, or not yet twice. */
export function pressureShare(
  before: Pressure | null,
  after: Pressure | null,
  durationMs: number,
): PressureShare | null {
  if (!before || !after) return null;
  // The same object while the kernel's text is the same.
  if (before === after) return after.full ? noPressure : noPressureOfSome;
  const share = (from: number, to: number): number => Math.min(1, rise(from, to) / 1e6 / durationMs);
  return {
    some: share(before.some.totalNs, after.some.totalNs),
    full: before.full && after.full ? share(before.full.totalNs, after.full.totalNs) : null,
  };
}

/** The node's shares over the same window. Null when the node was not read. Containers of one tick are told the same object. */
export const nodeShares = remembered(sharesOf);

function sharesOf(
  before: NodePressure | null,
  after: NodePressure | null,
  durationMs: number,
): NonNullable<CgroupFacts['node']> | null {
  if (!before || !after) return null;
  return {
    memory: pressureShare(before.memory, after.memory, durationMs),
    cpu: pressureShare(before.cpu, after.cpu, durationMs),
    io: pressureShare(before.io, after.io, durationMs),
  };
}
