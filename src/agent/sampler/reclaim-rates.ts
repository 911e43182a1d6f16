/** From readings of memory.stat, which come at their own pace, to rates. */
import type { CgroupSample, MemoryStat } from '../../host/index.ts';
import type { CgroupFacts } from '../../model/window.ts';
import { riseOrNull } from './rise.ts';

type Rates = NonNullable<CgroupFacts['reclaim']>;

interface StatReading {
  readonly stat: MemoryStat;
  readonly atMs: number;
}

/** Remembers the last reading and the rates up to it; they stand until memory.stat is read again. */
export class ReclaimLedger {
  #last: StatReading | null = null;
  #rates: Rates | null = null;

  /** Rates after this sample; null before the second reading, and where there is no memory.stat. */
  take({ stat, statAtMs }: Pick<CgroupSample, 'stat' | 'statAtMs'>): Rates | null {
    if (!stat || statAtMs === null) {
      this.#last = null;
      this.#rates = null;
      return null;
    }
    if (this.#last && statAtMs > this.#last.atMs) this.#rates = rates(this.#last, { stat, atMs: statAtMs });
    if (statAtMs !== this.#last?.atMs) this.#last = { stat, atMs: statAtMs };
    return this.#rates;
  }
}

function rates(before: StatReading, after: StatReading): Rates {
  const seconds = (after.atMs - before.atMs) / 1000;
  const rate = (figure: (stat: MemoryStat) => number | null): number | null => {
    const pages = riseOrNull(figure(before.stat), figure(after.stat));
    return pages === null ? null : pages / seconds;
  };
  return {
    majorFaultsPerSecond: rate((stat) => stat.majorFaults),
    refaultsAnonPerSecond: rate((stat) => stat.refaultsAnon),
    refaultsFilePerSecond: rate((stat) => stat.refaultsFile),
    pagesScannedPerSecond: rate((stat) => stat.pagesScanned),
    pagesStolenPerSecond: rate((stat) => stat.pagesStolen),
  };
}
