import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Random, randomFrom } from '../support/fuzz/random.ts';
import { bootstrap, judge, mean, median, quantile, typicalRatio } from './statistics.ts';

describe('the middle', () => {
  test.each([
    [[3], 3],
    [[9, 1, 5], 5],
    [[4, 1, 3, 2], 2.5],
    [[100, 20, 3], 20],
  ])('the median of %j is %d', (values, expected) => {
    expect(median(values)).toBe(expected);
  });

  test('there is no median of nothing', () => {
    expect(median([])).toBeNaN();
  });

  test.each([
    [0.5, 2],
    [0.75, 3],
    [0.99, 4],
    [1, 4],
    [0, 1],
  ])('the quantile %d of 1, 2, 3, 4 is %d', (share, expected) => {
    expect(quantile([4, 2, 1, 3], share)).toBe(expected);
  });

  test('a round that went wrong does not move the typical ratio', () => {
    expect(typicalRatio([1, 1, 1, 1, 0.2])).toBeCloseTo(1, 12);
    expect(typicalRatio([0.5, 2])).toBeCloseTo(1, 12);
  });
});

describe('the interval of an estimate', () => {
  test('holds the estimate', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0.5, max: 2, noNaN: true }), { minLength: 1, maxLength: 12 }), (ratios) => {
        const { value, low, high } = bootstrap(ratios, typicalRatio, randomFrom(1));
        expect(low).toBeLessThanOrEqual(value + 1e-9);
        expect(high).toBeGreaterThanOrEqual(value - 1e-9);
      }),
      { numRuns: 20 },
    );
  });

  test('holds the truth about 95 times of 100', () => {
    const random = randomFrom(7);
    const held = Array.from({ length: 100 }, () => {
      const { low, high } = bootstrap(
        Array.from({ length: 20 }, () => 10 + noise(random)),
        mean,
        random,
      );
      return low <= 10 && 10 <= high;
    }).filter(Boolean).length;
    // A percentile interval of 20 rounds is a little too narrow: 92 or 93 are expected. 84 is three standard deviations away.
    expect(held).toBeGreaterThanOrEqual(84);
  });

  test.each([
    [{ value: 1, low: 0.992, high: 1.01 }, 'held'],
    [{ value: 1, low: 0.99, high: 1.01 }, 'held'],
    [{ value: 0.98, low: 0.97, high: 0.989 }, 'missed'],
    [{ value: 1, low: 0.98, high: 1.02 }, 'inconclusive'],
    [{ value: 0.98, low: 0.97, high: 0.99 }, 'inconclusive'],
    [{ value: Number.NaN, low: Number.NaN, high: Number.NaN }, 'inconclusive'],
  ] as const)('of at least 0.99, %j is %s', (estimate, verdict) => {
    expect(judge(estimate, 0.99)).toBe(verdict);
  });
});

/** About normal, of standard deviation 1. */
function noise(random: Random): number {
  return Array.from({ length: 12 }, () => random.next() / 2 ** 32).reduce((sum, value) => sum + value, -6);
}
