import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { countOf, latenciesBetween, latencyQuantileNs, together } from './latency.ts';

const boundsNs = Array.from({ length: 61 }, (_, i) => Math.round(1e4 * 10 ** (i / 10)));

/** Counted as the robot counts. */
function counted(latenciesNs: readonly number[]) {
  const counts = Array.from({ length: boundsNs.length + 1 }, () => 0);
  for (const ns of latenciesNs) {
    const bucket = boundsNs.findIndex((bound) => ns <= bound);
    const index = bucket === -1 ? boundsNs.length : bucket;
    counts[index] = (counts[index] ?? 0) + 1;
  }
  return { boundsNs, counts };
}

const latencies = fc.array(fc.integer({ min: 10_001, max: 9_000_000_000 }), { minLength: 1, maxLength: 300 });

describe('latencies', () => {
  test('what came between two readings, and several of those together', () => {
    fc.assert(
      fc.property(latencies, latencies, (earlier, later) => {
        const between = latenciesBetween(counted(earlier), counted([...earlier, ...later]));
        expect(between).toEqual(counted(later));
        expect(together([counted(earlier), between])).toEqual(counted([...earlier, ...later]));
        expect(countOf(between)).toBe(later.length);
      }),
    );
  });

  test('a quantile is less than a bucket away from the true one', () => {
    fc.assert(
      fc.property(latencies, fc.double({ min: 0.01, max: 1, noNaN: true }), (all, share) => {
        const truth = all.toSorted((a, b) => a - b)[Math.ceil(share * all.length) - 1] ?? Number.NaN;
        const read = latencyQuantileNs(counted(all), share);
        expect(read / truth).toBeGreaterThan(1 / 1.26);
        expect(read / truth).toBeLessThan(1.26);
      }),
    );
  });

  test('half of a bucket is its middle', () => {
    expect(latencyQuantileNs({ boundsNs: [100, 400], counts: [0, 8, 0] }, 0.5)).toBeCloseTo(200, 9);
  });

  test('there is no quantile of nothing, and above the last bound nothing is known', () => {
    expect(latencyQuantileNs(counted([]), 0.5)).toBeNaN();
    expect(latencyQuantileNs({ boundsNs: [100], counts: [0, 3] }, 0.5)).toBe(100);
  });
});
