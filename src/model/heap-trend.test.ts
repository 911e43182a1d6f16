import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { heapTrend } from './heap-trend.ts';
import { slopeOf } from './trend.ts';

const cyclesOf = (live: readonly number[], allocPerCycle = 50e6) =>
  live.map((heapMarkedBytes, index) => ({
    atNs: 7e12 + index * 1e9,
    heapMarkedBytes,
    totalAllocBytes: 1e9 + index * allocPerCycle,
  }));

const noise = fc.double({ min: -1, max: 1, noNaN: true });

describe('slope with its interval', () => {
  it('is exact for a straight line', () => {
    const points = Array.from({ length: 20 }, (_, i) => ({ atSeconds: i, value: 100 + 3 * i }));
    expect(slopeOf(points)).toEqual({ perSecond: 3, low: 3, high: 3 });
  });

  it('is where the series less the slope still passes for untrended, by Kendall, and nowhere else', () => {
    const pairs = (values: readonly number[]): number =>
      values.reduce((sum, from, i) => sum + values.slice(i + 1).reduce((row, to) => row + Math.sign(to - from), 0), 0);
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: -1_000, max: 1_000 }), { minLength: 8, maxLength: 25 }),
        (values) => {
          const n = values.length;
          const chance = 1.959964 * Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18);
          const slope = slopeOf(values.map((value, atSeconds) => ({ atSeconds, value })));
          if (slope === null || !Number.isFinite(slope.low)) return;
          const scoreLess = (perSecond: number) => Math.abs(pairs(values.map((value, i) => value - perSecond * i)));
          // The interval is cut at whole pairs, on the wide side; a pair more or less moves the score by two.
          const step = 1e-6;
          if (slope.high - slope.low > 2 * step) {
            expect(scoreLess(slope.low + step)).toBeLessThanOrEqual(chance + 2);
            expect(scoreLess(slope.high - step)).toBeLessThanOrEqual(chance + 2);
          }
          expect(scoreLess(slope.low - step)).toBeGreaterThan(chance);
          expect(scoreLess(slope.high + step)).toBeGreaterThan(chance);
        },
      ),
    );
  });

  it('contains its own estimate', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { minLength: 2, maxLength: 40 }),
        (values) => {
          const points = values.map((value, atSeconds) => ({ atSeconds, value }));
          const slope = slopeOf(points);
          expect(slope?.low).toBeLessThanOrEqual(slope?.perSecond ?? Number.NaN);
          expect(slope?.high).toBeGreaterThanOrEqual(slope?.perSecond ?? Number.NaN);
        },
      ),
    );
  });

  it('covers the true slope in about 95 of 100 series', () => {
    let covered = 0;
    const rounds = 400;
    fc.assert(
      fc.property(fc.array(noise, { minLength: 30, maxLength: 30 }), noise, (wobble, truth) => {
        const slope = slopeOf(wobble.map((value, atSeconds) => ({ atSeconds, value: value * 20 + truth * atSeconds })));
        if (slope !== null && slope.low <= truth && truth <= slope.high) covered += 1;
      }),
      { numRuns: rounds, seed: 19681221 },
    );
    expect(covered / rounds).toBeGreaterThan(0.9);
  });
});

describe('heap over cycles', () => {
  it('says nothing from fewer than two cycles', () => {
    expect(heapTrend([])).toBeNull();
    expect(heapTrend(cyclesOf([80e6]))).toBeNull();
  });

  it('does not call two cycles a trend', () => {
    expect(heapTrend(cyclesOf([80e6, 90e6]))?.liveBytesPerSecond).toEqual({
      perSecond: 10e6,
      low: Number.NEGATIVE_INFINITY,
      high: Number.POSITIVE_INFINITY,
    });
  });

  it('sees a leak below the noise of single cycles, and none where there is none', () => {
    fc.assert(
      fc.property(
        fc.array(noise, { minLength: 60, maxLength: 300 }),
        fc.double({ min: 0.5e6, max: 5e6, noNaN: true }),
        (wobble, leak) => {
          const steady = wobble.map((value) => 80e6 + value * 2e6);
          const leaking = heapTrend(cyclesOf(steady.map((live, second) => live + leak * second)));
          expect(leaking?.liveBytesPerSecond.low).toBeGreaterThan(0);
          expect(Math.abs((leaking?.liveBytesPerSecond.perSecond ?? 0) - leak)).toBeLessThan(0.15e6);
          expect(leaking?.allocBytesPerSecond).toBeCloseTo(50e6);
          // One odd cycle decides nothing.
          const odd = heapTrend(cyclesOf(steady.map((live, second) => (second === 30 ? 10 * live : live))));
          expect(Math.abs(odd?.liveBytesPerSecond.perSecond ?? Number.NaN)).toBeLessThan(0.15e6);
        },
      ),
      { numRuns: 40 },
    );
  });
});
