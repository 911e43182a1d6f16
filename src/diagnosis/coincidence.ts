/** Do the windows that stalled have something that the others lack? */
import type { SignalWindow } from '../model/index.ts';
import type { Facts } from './evidence.ts';
import { stalledWindows } from './stalled.ts';

const MIN_WINDOWS = 2;
/** So much more often must it be in the windows that stalled, to explain them. */
const MIN_LIFT = 0.5;

export interface Coincidence {
  /** Windows that stalled, of those that tell. */
  readonly stalled: number;
  /** Share of them in which it was. */
  readonly share: number;
  /** That share less its share of the other windows. */
  readonly lift: number;
  readonly explains: boolean;
}

/**
 * @param tells windows of the latest minute that say whether it was there
 * @param isThere said of a window that stalled beyond `limitNs`, and of the others
 */
export function coincidence(
  facts: Facts,
  tells: readonly SignalWindow[],
  isThere: (window: SignalWindow, limitNs: number) => boolean,
): Coincidence {
  const { limitNs, stalled } = stalledWindows(facts);
  const share = (windows: readonly SignalWindow[]): number =>
    windows.length === 0 ? 0 : windows.filter((window) => isThere(window, limitNs)).length / windows.length;
  const stalledOnes = tells.filter((window) => stalled.includes(window));
  const others = tells.filter((window) => !stalled.includes(window));
  const lift = share(stalledOnes) - share(others);
  const explains = stalledOnes.length >= MIN_WINDOWS && lift >= MIN_LIFT;
  return { stalled: stalledOnes.length, share: share(stalledOnes), lift, explains };
}
