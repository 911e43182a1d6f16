import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucketStalls, exactStalls, noStalls, stallStats, type WeightedNs } from './quantiles.ts';
import { RING_CAPACITY, WindowRing } from './ring.ts';
import { normalScore } from './sketch.ts';
import { pooledP99Ns, summarise } from './summary.ts';
import { stalls, syntheticWindow, syntheticWindows } from './testing.ts';
import { kendallTau, median, slopeOf, thin } from './trend.ts';

const durations = fc.array(fc.integer({ min: 1, max: 100_000_000 }), { minLength: 1, maxLength: 300 });
const nearest = (values: readonly number[], percent: number) =>
  values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil((percent * values.length) / 100) - 1)];

/** Log-linear buckets with sixteen steps per power of two, as the probe counts. */
function bucketed(values: readonly number[]): WeightedNs[] {
  const counts = new Map<number, number>();
  for (const value of values) {
    const width = 2 ** Math.max(0, Math.floor(Math.log2(value)) - 4);
    const bound = Math.ceil(value / width) * width;
    counts.set(bound, (counts.get(bound) ?? 0) + 1);
  }
  return [...counts].sort(([a], [b]) => a - b);
}

describe('stall statistics', () => {
  it('are zero without stalls', () => expect(stallStats([exactStalls([])])).toEqual(noStalls));

  it('are exact for exact durations, whatever sets they come in', () => {
    fc.assert(
      fc.property(durations, durations, (a, b) => {
        const all = [...a, ...b];
        expect(stallStats([exactStalls(a), exactStalls(b)])).toEqual({
          count: all.length,
          p50Ns: nearest(all, 50),
          p99Ns: nearest(all, 99),
          maxNs: Math.max(...all),
          sumNs: all.reduce((sum, value) => sum + value, 0),
        });
      }),
    );
  });

  it('read a histogram at most a bucket too high and never too low', () => {
    fc.assert(
      fc.property(durations, durations, (pauses, assists) => {
        const all = [...pauses, ...assists];
        const { sumNs, maxNs } = exactStalls(assists);
        const merged = stallStats([exactStalls(pauses), bucketStalls({ buckets: bucketed(assists), sumNs, maxNs })]);
        const exact = stallStats([exactStalls(all)]);
        for (const key of ['p50Ns', 'p99Ns'] as const) {
          expect(merged[key]).toBeGreaterThanOrEqual(exact[key]);
          expect(merged[key]).toBeLessThanOrEqual(exact[key] * 1.0625);
        }
        expect([merged.count, merged.maxNs, merged.sumNs]).toEqual([exact.count, exact.maxNs, exact.sumNs]);
      }),
    );
  });
});

describe('many windows as one', () => {
  it('pools quantiles by count: a rare long stall among thousands is not the P99', () => {
    const busy = stallStats([exactStalls(Array.from({ length: 500 }, (_, i) => 1000 + i))]);
    const rare = stallStats([exactStalls([50_000_000])]);
    expect(pooledP99Ns([...Array(10).fill(busy), rare])).toBeLessThan(2000);
    expect(pooledP99Ns([rare, stalls(1, 3)])).toBe(50_000_000);
    expect(pooledP99Ns([])).toBe(0);
  });

  // Where one window holds the two longest stalls of all, its second longest can only be guessed.
  it.each([
    [3, 2.5],
    [20, 2],
    [80, 1.5],
    [300, 1.3],
    [2000, 1.25],
  ])('is near the exact value for windows of some %d skewed stalls: within a factor of %d', (size, factor) => {
    // Deviates by a fixed linear congruential generator, so that the test is the same every time.
    let state = 7n;
    const deviate = () => {
      state = (state * 6364136223846793005n + 1442695040888963407n) % 2n ** 64n;
      return normalScore((Number(state >> 11n) + 0.5) / 2 ** 53);
    };
    for (const spread of [0.5, 1, 2]) {
      for (const drift of [0, 0.5, 1]) {
        const lists = Array.from({ length: 30 }, () => {
          const shift = drift * deviate();
          const length = Math.max(1, Math.round(size * Math.exp(0.5 * deviate())));
          return Array.from({ length }, () => Math.exp(11 + shift + spread * deviate()));
        });
        const pooled = pooledP99Ns(lists.map((list) => stallStats([exactStalls(list)])));
        const exact = nearest(lists.flat(), 99) ?? 0;
        expect(pooled / exact).toBeGreaterThan(1 / factor);
        expect(pooled / exact).toBeLessThan(factor);
      }
    }
  });

  it('is the P99 of each where all windows are alike', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 2, max: 50 }), (times, spread) => {
        const hundred = Array.from({ length: 100 }, (_, i) => 1000 + i * spread);
        const window = stallStats([exactStalls(hundred)]);
        expect(pooledP99Ns(Array.from({ length: times }, () => window))).toBeCloseTo(window.p99Ns, 3);
      }),
    );
  });

  it('never exceeds the largest maximum nor falls below the smallest P50', () => {
    fc.assert(
      fc.property(fc.array(durations, { minLength: 1, maxLength: 10 }), (lists) => {
        const windows = lists.map((list) => stallStats([exactStalls(list)]));
        const pooled = pooledP99Ns(windows);
        expect(pooled).toBeLessThanOrEqual(Math.max(...windows.map((window) => window.maxNs)));
        expect(pooled).toBeGreaterThanOrEqual(Math.min(...windows.map((window) => window.p50Ns)));
      }),
    );
  });

  it('is exact for windows of one or two stalls', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer({ min: 1, max: 1e8 }), { minLength: 1, maxLength: 2 }), { minLength: 1 }),
        (lists) => {
          expect(pooledP99Ns(lists.map((list) => stallStats([exactStalls(list)])))).toBe(nearest(lists.flat(), 99));
        },
      ),
    );
  });

  it('takes means over time and heap figures from the newest window that knows them', () => {
    const windows = [
      syntheticWindow(0, { gc: { cpuShare: 0.1, cycles: 4 } }),
      syntheticWindow(1, { gc: { cpuShare: 0.4, cycles: 1, gogc: 20, heapLiveBytes: 7 }, durationMs: 500 }),
      syntheticWindow(2, { gc: null }),
    ];
    expect(summarise(windows)).toMatchObject({
      windows: 3,
      gcCpuShare: 0.2,
      gcRatePerSecond: 2,
      heapLiveBytes: 7,
      gogc: 20,
    });
    expect(summarise([])).toMatchObject({ windows: 0, gcCpuShare: 0, gogc: null });
  });
});

describe('the ring', () => {
  it('keeps the newest ten minutes', () => {
    const ring = new WindowRing();
    for (const window of syntheticWindows(RING_CAPACITY + 5)) ring.push(window);
    expect([ring.size, ring.all()[0]?.seq, ring.newest()?.seq]).toEqual([600, 5, 604]);
    expect(ring.latest(2).map((window) => window.seq)).toEqual([603, 604]);
    expect(ring.since(Date.parse(ring.latest(4)[0]?.endedAt ?? '')).map((window) => window.seq)).toEqual([
      602, 603, 604,
    ]);
  });

  it('refuses a capacity that is none', () => expect(() => new WindowRing(0)).toThrow(RangeError));
});

describe('robust trends', () => {
  it('find the slope through noise and outliers', () => {
    const points = Array.from({ length: 30 }, (_, i) => ({ atSeconds: i, value: 3 * i + (i === 7 ? 1e6 : 0) }));
    expect(slopeOf(points)?.perSecond).toBeCloseTo(3, 6);
  });
  it('know how consistently a series rises', () => {
    expect([kendallTau([1, 2, 3]), kendallTau([3, 2, 1]), kendallTau([1, 1, 1]), kendallTau([])]).toEqual([
      1, -1, 0, 0,
    ]);
  });
  it('take the middle', () => expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([])]).toEqual([2, 2.5, 0]));
  it('thin a series and keep its end', () => {
    expect(thin([1, 2, 3, 4, 5, 6, 7], 3)).toEqual([3, 5, 7]);
    expect(thin([1, 2], 3)).toEqual([1, 2]);
  });
});
