/** A leak that takes hours, and what looks like one for a while. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deriveThresholds } from '../model/index.ts';
import { syntheticSpec, syntheticWindows } from '../model/testing.ts';
import { diagnose } from './diagnose.ts';
import { historyOf, type Seen } from './testing.ts';

const spec = syntheticSpec();

function causesOf(hours: number, seen: (hour: number) => Seen) {
  const windows = syntheticWindows(60, () => ({ gc: { cpuShare: 0.1 } }));
  const heapHistory = historyOf(hours, seen);
  return diagnose({ windows, heapHistory, spec, thresholds: deriveThresholds(spec) });
}
const hours = fc.double({ min: 0.5, max: 6, noNaN: true });
const noise = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 72, maxLength: 72 });
const at = (noise: readonly number[], hour: number): number => noise[Math.round(hour * 12) - 1] ?? 0;
const isLeak = (hours: number, seen: (hour: number) => Seen): boolean =>
  causesOf(hours, seen).some(({ cause }) => cause === 'Leak');

describe('a slow leak', () => {
  it('is named before anything else, with its pace, the time that is left and what would refute it', () => {
    const [leak, ...others] = causesOf(2, (hour) => ({ liveMib: 70 + 225 * hour }));
    expect(leak).toMatchObject({ cause: 'Leak', summary: expect.stringContaining('225 MiB an hour') });
    expect(leak?.confidence).toBeGreaterThan(0.85);
    expect(leak?.evidence.join('\n')).toMatch(/memory limit of 512 MiB in [1-9] min/);
    expect(leak?.refutedBy).toContain('cache');
    for (const other of others) expect(other.confidence).toBeLessThan(0.1);
  });

  it('is named under a wave too, by hours of like traffic, once the wave comes back', () => {
    const wave = (hour: number) => 5000 - 3000 * Math.cos((2 * Math.PI * hour) / 6);
    const leaking = (hour: number) => ({ liveMib: 20 + wave(hour) / 100 + 40 * hour, robots: wave(hour) });
    const named = Array.from({ length: 10 }, (_, at) => isLeak(7.5 + at / 4, leaking));
    expect(named).toContain(true);
    const withoutLeak = (hour: number) => ({ liveMib: 20 + wave(hour) / 100, robots: wave(hour) });
    expect(Array.from({ length: 48 }, (_, at) => isLeak(at / 4, withoutLeak))).not.toContain(true);
  });

  it('that began long after the program did is named as well', () => {
    expect(isLeak(6, (hour) => ({ liveMib: 100 + 100 * Math.max(0, hour - 3) }))).toBe(true);
  });

  it('of goroutines is named as one', () => {
    const [first] = causesOf(3, (hour) => ({ liveMib: 100 + 20 * hour, rootsMib: 4 + 8 * hour }));
    expect(first?.cause).toBe('GoroutineLeak');
  });

  it('of any pace is found in any noise that is small beside it, with or without a count of robots', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1.5, max: 6, noNaN: true }),
        fc.double({ min: 0.3, max: 5, noNaN: true }),
        fc.boolean(),
        fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 72, maxLength: 72 }),
        (hours, paceOfBase, isCounted, noise) => {
          const seen = (hour: number) => ({
            liveMib: 100 + 100 * paceOfBase * hour + (noise[Math.round(hour * 12) - 1] ?? 0) * 2 * paceOfBase,
            robots: isCounted ? 5000 : null,
          });
          expect(isLeak(hours, seen)).toBe(true);
        },
      ),
    );
  });
});

describe('a leak that the clock alone shows slower and slower', () => {
  it('is found by the work that leaks, where there is less and less to do', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1.5, max: 6, noNaN: true }),
        fc.double({ min: 0.4, max: 5, noNaN: true }),
        fc.double({ min: 0, max: 0.2, noNaN: true }),
        noise,
        (span, pace, wane, jitter) => {
          const done = (hour: number) => hour - (wane * hour ** 2) / (2 * span);
          const seen = (hour: number) => ({
            liveMib: 100 + 100 * pace * (done(hour) + 0.01 * at(jitter, hour)),
            allocMib: 60 * (1 - (wane * hour) / span),
            robots: null,
          });
          expect(isLeak(span, seen)).toBe(true);
        },
      ),
    );
  });

  it('is found beside a cache that fills, by three hours of which the cache was full for the latter half', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 3, max: 6, noNaN: true }),
        fc.double({ min: 0.4, max: 5, noNaN: true }),
        fc.double({ min: 0.05, max: 0.3, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (span, pace, timeConstant, hoursWorth) => {
          const cache = (hour: number) => 100 * pace * hoursWorth * (1 - Math.exp(-hour / timeConstant));
          expect(isLeak(span, (hour) => ({ liveMib: 100 + 100 * pace * hour + cache(hour) }))).toBe(true);
        },
      ),
    );
  });
});

describe('what is no leak, however long it is looked at', () => {
  it('is a heap that stays, in any noise', () => {
    fc.assert(
      fc.property(hours, noise, fc.double({ min: 0, max: 0.5, noNaN: true }), (span, jitter, share) => {
        expect(isLeak(span, (hour) => ({ liveMib: 100 * (1 + share * at(jitter, hour)) }))).toBe(false);
      }),
    );
  });

  it('is a warm-up or a cache that fills, once half of it is full', () => {
    fc.assert(
      fc.property(
        hours,
        fc.double({ min: 0.7, max: 10, noNaN: true }),
        fc.double({ min: 20, max: 2000, noNaN: true }),
        (span, timesFull, sizeMib) => {
          const seen = (hour: number) => ({ liveMib: 50 + sizeMib * (1 - Math.exp((-timesFull * hour) / span)) });
          expect(isLeak(span, seen)).toBe(false);
        },
      ),
    );
  });

  it('is a cache of any size and pace after 75 minutes, once a quarter of it is full, in noise of a hundredth of what it has grown by', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1.25, max: 6, noNaN: true }),
        fc.double({ min: 0.4, max: 10, noNaN: true }),
        fc.double({ min: 20, max: 2000, noNaN: true }),
        noise,
        (span, timesFull, sizeMib, jitter) => {
          const filled = (hour: number) => sizeMib * (1 - Math.exp((-timesFull * hour) / span));
          const seen = (hour: number) => ({ liveMib: 50 + filled(hour) + 0.005 * filled(span) * at(jitter, hour) });
          expect(isLeak(span, seen)).toBe(false);
        },
      ),
    );
  });

  it('is a daily wave, whenever the program was started and whatever of its robots is known', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.5, max: 24, noNaN: true }),
        fc.double({ min: 0, max: 24, noNaN: true }),
        fc.boolean(),
        fc.double({ min: 0, max: 100, noNaN: true }),
        (span, startHour, isCounted, baseMib) => {
          const robots = (hour: number) => 10_000 - 6000 * Math.cos((2 * Math.PI * (hour + startHour)) / 24);
          const seen = (hour: number) => ({
            liveMib: baseMib + robots(hour) / 150,
            robots: isCounted ? robots(hour) : null,
            allocMib: robots(hour) / 150,
          });
          expect(isLeak(span, seen)).toBe(false);
        },
      ),
    );
  });

  it('is a surge, before, while and after it lasts', () => {
    fc.assert(
      fc.property(
        hours,
        fc.double({ min: 0, max: 6, noNaN: true }),
        fc.double({ min: 0.1, max: 6, noNaN: true }),
        fc.boolean(),
        (span, from, length, isCounted) => {
          const times = (hour: number) => (hour >= from && hour < from + length ? 4 : 1);
          const seen = (hour: number) => ({
            liveMib: 70 * times(hour),
            robots: isCounted ? 10_000 * times(hour) : null,
            allocMib: 70 * times(hour),
          });
          expect(isLeak(span, seen)).toBe(false);
        },
      ),
    );
  });

  it.each<[string, number, (hour: number) => Seen]>([
    ['less than an hour of any growth', 0.7, (hour) => ({ liveMib: 70 + 225 * hour })],
    ['growth that nobody would notice', 6, (hour) => ({ liveMib: 100 + 3 * hour })],
    ['growth of a few MiB', 6, (hour) => ({ liveMib: 2 + hour })],
    ['a cache that is full at last', 6, (hour) => ({ liveMib: Math.min(400, 50 + 100 * hour) })],
    ['as many more robots', 6, (hour) => ({ liveMib: 50 + 5 * hour, robots: 5000 + 500 * hour })],
    ['a step up that stays', 6, (hour) => ({ liveMib: hour < 3 ? 100 : 200 })],
  ])('is %s', (_, span, seen) => {
    expect(isLeak(span, seen)).toBe(false);
  });
});
