/** Heap histories for tests. */
import type { HeapPoint } from '../model/index.ts';
import { EPOCH_MS } from '../model/testing.ts';

const MIB = 2 ** 20;

export interface Seen {
  readonly liveMib: number;
  readonly robots?: number | null;
  readonly allocMib?: number;
  readonly rootsMib?: number;
}

/** A point each five minutes. */
export function historyOf(hours: number, seen: (hour: number) => Seen): HeapPoint[] {
  return Array.from({ length: Math.round(hours * 12) }, (_, at) => {
    const { liveMib, robots = 5000, allocMib = 60, rootsMib = 1 } = seen((at + 1) / 12);
    return {
      endedAt: new Date(EPOCH_MS + (at + 1) * 300_000).toISOString(),
      heapLiveBytes: liveMib * MIB,
      rootsBytes: rootsMib * MIB,
      allocBytesPerSecond: allocMib * MIB,
      activeRobots: robots,
    };
  });
}
