/** A leak that takes hours, and what looks like one for a while. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deriveThresholds, type HeapPoint } from '../model/index.ts';
import { EPOCH_MS, syntheticSpec, syntheticWindows } from '../model/testing.ts';
import { diagnose } from './diagnose.ts';

const MIB = 2 ** 20;
const spec = syntheticSpec();

interface Seen {
  readonly liveMib: number;
  readonly robots?: number | null;
  readonly allocMib?: number;
  readonly rootsMib?: number;
}

/** A point each five minutes. */
function historyOf(hours: number, seen: (hour: number) => Seen): HeapPoint[] {
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

function causesOf(hours: number, seen: (hour: number) => Seen) {
  const windows = syntheticWindows(60, () => ({ gc: { cpuShare: 0.1 } }));
  const heapHistory = historyOf(hours, seen);
  return diagnose({ windows, heapHistory, spec, thresholds: deriveThresholds(spec) });
}
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

describe('what is no leak, however long it is looked at', () => {
  const hours = fc.double({ min: 0.5, max: 6, noNaN: true });
  const noise = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 72, maxLength: 72 });
  const at = (noise: readonly number[], hour: number): number => noise[Math.round(hour * 12) - 1] ?? 0;

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
