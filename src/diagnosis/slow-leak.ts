/** A leak that takes hours, told before it breaks any limit: people mend it, not a setting. Pure. */
import type { HeapPoint } from '../model/index.ts';
import { slowGrowthOf } from './slow-growth.ts';
import { timeLeft } from './time-left.ts';
import { mebibytes } from './words.ts';

/** To be looked for as often: a heap history has a new point in five minutes at most. */
export const LEAK_EVERY_WINDOWS = 300;

export interface SlowLeak {
  readonly bytesPerHour: number;
  readonly sentence: string;
}

export function slowLeakOf(points: readonly HeapPoint[], memoryLimitBytes: number | null): SlowLeak | undefined {
  const growth = slowGrowthOf(points, 'live heap after GC', ({ heapLiveBytes }) => heapLiveBytes);
  if (!growth) return undefined;
  const bytesPerHour = Math.round(growth.slope.perSecond * 3600);
  const [fromTo] = growth.evidence;
  const sentence = [
    `Live heap grows by ${mebibytes(bytesPerHour)} an hour at like traffic (${fromTo})`,
    ...timeLeft(growth, memoryLimitBytes),
  ];
  return { bytesPerHour, sentence: `${sentence.join('; ')}.` };
}
