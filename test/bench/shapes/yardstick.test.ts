import { describe, expect, it } from 'vitest';
import type { Reading } from './reading.ts';
import { judge } from './yardstick.ts';

const promised = { gcCpuShare: 0.05, breach: { windows: 3, of: 5 } };
const processors = 2;

type Growth = Partial<Pick<Reading, 'events' | 'lateEvents' | 'droppedEvents' | 'gcSeconds' | 'gogc' | 'peakBytes'>>;

/** Of one process, a second apart; each says what came since the one before. */
function life(bornAtSecond: number, fromSecond: number, growths: readonly Growth[]): Reading[] {
  const now = { events: 100, lateEvents: 0, droppedEvents: 0, gcSeconds: 0 };
  return growths.map(({ gogc = 100, peakBytes = 1, ...growth }, index) => {
    now.events += growth.events ?? 500;
    now.lateEvents += growth.lateEvents ?? 0;
    now.droppedEvents += growth.droppedEvents ?? 0;
    now.gcSeconds += growth.gcSeconds ?? 0;
    const uptimeNs = (fromSecond + index - bornAtSecond) * 1e9;
    return { ...now, bornAtMs: bornAtSecond * 1000, uptimeNs, processors, gogc, peakBytes };
  });
}

const quiet = (count: number): Growth[] => Array.from({ length: count }, () => ({}));
/** A tenth of both processors for a second. */
const busy = { gcSeconds: 0.2 };

const faults = (readings: readonly (Reading | null)[]) => judge(readings, promised).faults;

describe('a second', () => {
  it('counts as broken when an event of it was late, was shed, or none was served', () => {
    const growths = [{}, {}, { lateEvents: 1 }, { droppedEvents: 3 }, { events: 0 }, {}];
    expect(faults(life(-60, 5, growths))).toEqual([null, 'late', 'late', 'away', null]);
  });

  it('counts for the collector from the third of five in which it took more than its share', () => {
    const growths = [{}, busy, {}, busy, {}, busy, {}, {}, {}, {}];
    expect(faults(life(-60, 5, growths))).toEqual([null, null, null, null, 'gc', null, null, null, null]);
    expect(faults(life(-60, 5, [{}, busy, busy, busy, busy]))).toEqual([null, null, 'gc', 'gc']);
  });

  it('without an answer is judged by what the same process says later', () => {
    const [first, second, third, , fifth] = life(-60, 5, [{}, {}, {}, { lateEvents: 1 }, {}]);
    expect(first && second && third && fifth && faults([first, null, third, null, fifth])).toEqual([
      null,
      null,
      'late',
      'late',
    ]);
  });

  it('is broken while the robots of a program that began anew are on their way back', () => {
    expect(faults(life(0, 17, quiet(6)))).toEqual(['away', 'away', null, null, null]);
  });

  it('is broken when another process serves at its end, or nobody answers any more', () => {
    const [before, alive] = life(-60, 5, quiet(2));
    const after = life(8, 28, quiet(2));
    const seen = [before ?? null, alive ?? null, null, ...after, null];
    expect(faults(seen)).toEqual([null, 'away', 'away', null, 'away']);
  });
});

describe('a run', () => {
  it('has the collector’s share of the processors, whatever process it was of, the peak and the changes of GOGC', () => {
    const first = life(-60, 5, [{}, { gcSeconds: 0.1, peakBytes: 9 }]);
    const second = life(7, 8, [{ gogc: 200 }, { gcSeconds: 0.3, gogc: 200, peakBytes: 4 }]);
    const judged = judge([...first, ...second], promised);
    expect(judged.gcCpuShare).toBeCloseTo(0.4 / (2 * processors));
    expect(judged).toMatchObject({ peakBytes: 9, gogcChanges: 1 });
  });
});
