/** A leak that takes hours, told before it breaks any limit: people mend it, not a setting. Pure. */
import type { HeapPoint } from '../model/index.ts';
import type { Growth } from './growth.ts';
import { slowGrowthOf } from './slow-growth.ts';
import { timeLeft } from './time-left.ts';
import { mebibytes } from './words.ts';

/** To be looked for as often: a heap history has a new point in five minutes at most. */
export const LEAK_EVERY_WINDOWS = 300;

export interface SlowLeak {
  readonly bytesPerHour: number;
  readonly sentence: string;
}

/**
 * Without a breach there is time, and what is looked at for longer tells itself: a cache that has room slows down before it has been looked at for
 * an eighth of the time that it would take to fill the memory limit. With the few points of the first hour it takes a quarter.
 */
const PATIENCE = { ofTimeLeft: 1 / 8, mostSeconds: 3 * 3600 };
const PATIENCE_AT_FIRST = { ofTimeLeft: 1 / 4, mostSeconds: 75 * 60 };

export function slowLeakOf(points: readonly HeapPoint[], memoryLimitBytes: number | null): SlowLeak | undefined {
  const growth = slowGrowthOf(points, 'live heap after GC', ({ heapLiveBytes }) => heapLiveBytes);
  if (!growth || isEarly(growth, points, memoryLimitBytes)) return undefined;
  const bytesPerHour = Math.round(growth.slope.perSecond * 3600);
  const [fromTo] = growth.evidence;
  const sentence = [
    `Live heap grows by ${mebibytes(bytesPerHour)} an hour at like traffic (${fromTo})`,
    ...timeLeft(growth, memoryLimitBytes),
  ];
  return { bytesPerHour, sentence: `${sentence.join('; ')}.` };
}

function isEarly({ slope, toBytes }: Growth, points: readonly HeapPoint[], memoryLimitBytes: number | null): boolean {
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last || memoryLimitBytes === null) return false;
  const seenSeconds = (Date.parse(last.endedAt) - Date.parse(first.endedAt)) / 1000;
  const leftSeconds = (memoryLimitBytes - toBytes) / slope.perSecond;
  return [PATIENCE_AT_FIRST, PATIENCE].some(
    ({ ofTimeLeft, mostSeconds }) => seenSeconds < Math.min(mostSeconds, ofTimeLeft * leftSeconds),
  );
}
