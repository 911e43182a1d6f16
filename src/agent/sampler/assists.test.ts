import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HistogramEvent, SampledEvent } from '../../host/probe/index.ts';
import { exactStalls, stallStats } from '../../model/index.ts';
import { assistsOf } from './assists.ts';

function histogram(pid: number, buckets: [number, number][], of: HistogramEvent['of'] = 'assist'): HistogramEvent {
  const count = buckets.reduce((sum, [, n]) => sum + n, 0);
  const sumNs = buckets.reduce((sum, [ns, n]) => sum + ns * n, 0);
  return { type: 'histogram', of, pid, count, sumNs, maxNs: buckets.at(-1)?.[0] ?? 0, buckets };
}

const inLooks = (pid: number, buckets: [number, number][]): HistogramEvent => histogram(pid, buckets, 'assistLooked');

function look(pid: number, share: number, over: Partial<SampledEvent> = {}): SampledEvent {
  const event = { type: 'sampled', pid, observedNs: share * 1e9, throughoutNs: 0, spanNs: 1e9 } as const;
  return { ...event, unfinished: 0, unfinishedNs: 0, lookVariance: 0, ...over };
}

describe('assists of a container', () => {
  test('all seen: nothing is scaled, nothing is stated', () => {
    const { sets, sampling } = assistsOf([histogram(1, [[1_000, 5]])], []);
    expect(stallStats(sets)).toMatchObject({ count: 5, sumNs: 5_000, maxNs: 1_000 });
    expect(sampling).toBeNull();
  });

  test('seen for a fiftieth of the time: fifty times as many, the same quantiles, and how sure that is', () => {
    const seen = inLooks(1, [
      [1_000, 980],
      [50_000, 15],
      [2_000_000, 5],
    ]);
    const { sets, sampling } = assistsOf([seen], [look(1, 0.02)]);
    expect(stallStats(sets)).toEqual({
      count: 50_000,
      sumNs: seen.sumNs * 50,
      p50Ns: 1_000,
      p99Ns: 50_000,
      maxNs: 2_000_000,
    });
    // Rank 990 of 1000, less and plus 1.645 · √(4 · 1000 · 0.99 · 0.01) = 10.4: the upper one is beyond the last.
    expect(sampling).toEqual({
      observedShare: 0.02,
      observed: 1000,
      p99LowNs: 1_000,
      p99HighNs: null,
      stallP99LowNs: 1_000,
      stallP99HighNs: null,
      // e^(1.645 · √(0.5² · 0.98 ÷ 4 looks + 4 · 1 ÷ 1000 stalls)) = 1.52 times less and more.
      countLow: 32_845,
      countHigh: 76_114,
      // Five long ones are most of it: Σn·ns² ÷ (Σn·ns)² = 0.146 in place of the 1 ÷ 1000 makes 3.74 times less and more.
      sumLowNs: 156_691_313,
      sumHighNs: 2_195_286_022,
      unfinished: 0,
    });
  });

  test('where looks differ more than they commonly do, count and sum are told as less sure', () => {
    const seen = inLooks(1, [[1_000, 1_000]]);
    const { sampling } = assistsOf([seen], [look(1, 0.02, { lookVariance: 2 })]);
    // e^(1.645 · √(2 · 0.98 ÷ 4 looks + 4 · 1 ÷ 1000 stalls)) = 3.18 times less and more.
    expect(sampling).toMatchObject({ countLow: 15_734, countHigh: 158_891 });
  });

  test('with the pauses, all of which are seen, they are told as one distribution', () => {
    const seen = inLooks(1, [
      [1_000, 9_000],
      [2_000, 1_000],
    ]);
    const stallP99 = (pausesNs: readonly number[]): unknown[] => {
      const { sampling } = assistsOf([seen], [look(1, 0.5)], exactStalls(pausesNs));
      return [sampling?.stallP99LowNs, sampling?.stallP99HighNs];
    };
    expect(stallP99([])).toEqual([2_000, 2_000]);
    // Two long ones among 20,000 decide nothing; one in fifty does.
    expect(stallP99([7e6, 8e6])).toEqual([2_000, 2_000]);
    expect(stallP99(Array.from({ length: 400 }, () => 7e6))).toEqual([7e6, 7e6]);
    expect(stallP99(Array.from({ length: 205 }, () => 7e6))).toEqual([2_000, 7e6]);
  });

  test('what was seen throughout, up to the storm that it began with, stands for itself', () => {
    const before = histogram(1, [[1_000, 900]]);
    // For a quarter of a second all were seen, then for 75 of 750 ms.
    const event = look(1, 0.325, { throughoutNs: 0.25e9 });
    const { sets, sampling } = assistsOf([before, inLooks(1, [[1_000, 20]])], [event]);
    expect(stallStats(sets).count).toBe(900 + 200);
    expect(sampling).toMatchObject({ observedShare: 0.325, observed: 20 });
    expect(sampling?.countLow).toBeGreaterThan(900);
  });

  test('those whose end was not waited for count as long as they were followed', () => {
    const event = look(1, 0.1, { unfinished: 2, unfinishedNs: 120e6 });
    const { sets, sampling } = assistsOf([inLooks(1, [[1_000, 8]])], [event]);
    expect(stallStats(sets)).toMatchObject({ count: 100, maxNs: 60e6, p99Ns: 60e6, sumNs: 10 * (8_000 + 120e6) });
    expect(sampling).toMatchObject({ observed: 10, unfinished: 2 });
  });

  test('one process in a storm does not scale the other', () => {
    const { sets, sampling } = assistsOf([histogram(1, [[1_000, 10]]), inLooks(2, [[2_000, 10]])], [look(2, 0.1)]);
    expect(stallStats(sets).count).toBe(110);
    expect(sampling).toMatchObject({ observedShare: 0.1, observed: 10 });
  });

  test('not looked at all: nothing is claimed, and the share says so', () => {
    expect(assistsOf([], [look(1, 0)])).toEqual({
      sets: [],
      sampling: {
        observedShare: 0,
        observed: 0,
        p99LowNs: 0,
        p99HighNs: null,
        stallP99LowNs: 0,
        stallP99HighNs: null,
        countLow: 0,
        countHigh: null,
        sumLowNs: 0,
        sumHighNs: null,
        unfinished: 0,
      },
    });
  });

  test('what began in a look and ended after it is not left out of a window without one', () => {
    const { sets, sampling } = assistsOf([inLooks(1, [[5_000_000, 2]])], [look(1, 0)]);
    expect(stallStats(sets)).toMatchObject({ count: 2, maxNs: 5_000_000 });
    expect(sampling).toMatchObject({ observedShare: 0, observed: 2 });
  });

  test('of too few the 99th percentile is not bounded from above', () => {
    const { sampling } = assistsOf([inLooks(1, [[1_000, 300]])], [look(1, 0.1)]);
    expect(sampling).toMatchObject({ observed: 300, p99LowNs: 1_000, p99HighNs: null });
  });

  test('scaling keeps every quantile, and the interval holds the estimate', () => {
    const anyBuckets = fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 1e9 }), fc.integer({ min: 1, max: 10_000 })), {
      minLength: 1,
      maxLength: 20,
      selector: ([ns]) => ns,
    });
    fc.assert(
      fc.property(anyBuckets, fc.double({ min: 0.001, max: 1, noNaN: true }), (buckets, share) => {
        const seen = inLooks(
          1,
          [...buckets].sort(([a], [b]) => a - b),
        );
        const exact = stallStats(assistsOf([seen], []).sets);
        const { sets, sampling } = assistsOf([seen], [look(1, share)]);
        const estimate = stallStats(sets);
        expect(estimate.maxNs).toBe(exact.maxNs);
        expect(Math.abs(estimate.count - exact.count / share)).toBeLessThanOrEqual(0.5 + 1e-6 * estimate.count);
        expect(sampling?.p99LowNs).toBeLessThanOrEqual(estimate.p99Ns);
        expect(sampling?.p99HighNs ?? Number.POSITIVE_INFINITY).toBeGreaterThanOrEqual(estimate.p99Ns);
        expect(sampling?.countLow).toBeLessThanOrEqual(estimate.count);
        expect(sampling?.countLow).toBeGreaterThanOrEqual(Math.floor(Math.min(estimate.count, exact.count)));
        expect(sampling?.countHigh).toBeGreaterThanOrEqual(estimate.count);
        expect(sampling?.sumLowNs).toBeLessThanOrEqual(estimate.sumNs);
        expect(sampling?.sumHighNs).toBeGreaterThanOrEqual(estimate.sumNs);
      }),
    );
  });
});
