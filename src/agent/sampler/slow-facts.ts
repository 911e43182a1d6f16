/** From readings that come at their own pace (`ReadPace`) to rates and shares. Pure. */
import type { CgroupSample, MemoryStat } from '../../host/index.ts';
import type { PressureShare, ReclaimRates } from '../../model/window.ts';
import { pressureShare } from './pressure-share.ts';
import { riseOrNull } from './rise.ts';

type SlowReading = Pick<CgroupSample, 'stat' | 'slowAtMs' | 'pressure'>;

/** Over the latest distance between two readings; null before the second, and where the kernel does not tell. */
export interface SlowFacts {
  readonly reclaim: ReclaimRates | null;
  readonly cpuPressure: PressureShare | null;
  readonly ioPressure: PressureShare | null;
}

const noSlowFacts: SlowFacts = { reclaim: null, cpuPressure: null, ioPressure: null };

/** Remembers the last reading and the facts up to it; they stand until the files are read again. */
export class SlowLedger {
  #last: SlowReading | null = null;
  #facts = noSlowFacts;

  take(sample: SlowReading): SlowFacts {
    const last = this.#last;
    if (last?.slowAtMs === sample.slowAtMs) return this.#facts;
    this.#last = sample;
    if (last && sample.slowAtMs > last.slowAtMs) this.#facts = between(last, sample);
    return this.#facts;
  }
}

function between(before: SlowReading, after: SlowReading): SlowFacts {
  const ms = after.slowAtMs - before.slowAtMs;
  return {
    reclaim: before.stat && after.stat && reclaimRates(before.stat, after.stat, ms / 1000),
    cpuPressure: pressureShare(before.pressure.cpu, after.pressure.cpu, ms),
    ioPressure: pressureShare(before.pressure.io, after.pressure.io, ms),
  };
}

function reclaimRates(before: MemoryStat, after: MemoryStat, seconds: number): ReclaimRates {
  const rate = (figure: (stat: MemoryStat) => number | null): number | null => {
    const pages = riseOrNull(figure(before), figure(after));
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
