import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DurationHistogram, emptyHistogram, mergeHistograms, quantileNs } from './histogram.ts';

/** The probe's buckets (bpf/src/histogram.h), written down a second time, the slow way. */
function upperBoundNs(valueNs: number): number {
  if (valueNs < 32) return valueNs;
  const width = 2 ** (Math.floor(Math.log2(valueNs)) - 4);
  return Math.floor(valueNs / width) * width + width - 1;
}

function histogramOf(durationsNs: readonly number[]): DurationHistogram {
  const counts = new Map<number, number>();
  for (const duration of durationsNs) {
    const bound = upperBoundNs(duration);
    counts.set(bound, (counts.get(bound) ?? 0) + 1);
  }
  return {
    count: durationsNs.length,
    sumNs: durationsNs.reduce((sum, duration) => sum + duration, 0),
    maxNs: durationsNs.reduce((max, duration) => Math.max(max, duration), 0),
    buckets: [...counts].sort(([a], [b]) => a - b),
  };
}

const durations = fc.array(fc.oneof(fc.nat(100), fc.nat(10_000_000), fc.integer({ min: 0, max: 2 ** 35 })), {
  minLength: 1,
  maxLength: 300,
});

describe('quantileNs', () => {
  it('has no answer without data', () => {
    expect(quantileNs(emptyHistogram, 0.99)).toBeNull();
  });

  it.each([
    { durations: [7], q: 0.5, expected: 7 },
    { durations: [1, 2, 3, 4], q: 0.5, expected: 2 },
    { durations: [1, 2, 3, 4], q: 0, expected: 1 },
    { durations: [1, 2, 3, 4], q: 1, expected: 4 },
    { durations: [1, 2, 3, 4], q: 0.99, expected: 4 },
    // 1000 lies in 992..1023; it is the greatest, so it is given exactly.
    { durations: [1, 1000], q: 1, expected: 1000 },
    { durations: [1000, 5000], q: 0.5, expected: 1023 },
  ])('of $durations at $q is $expected', ({ durations, q, expected }) => {
    expect(quantileNs(histogramOf(durations), q)).toBe(expected);
  });

  it.each([-0.1, 1.1, Number.NaN])('refuses %s as a share', (q) => {
    expect(() => quantileNs(emptyHistogram, q)).toThrow(RangeError);
  });

  it('is never below the exact nearest-rank quantile, and at most 6.25 % above', () => {
    fc.assert(
      fc.property(durations, fc.double({ min: 0, max: 1, noNaN: true }), (values, q) => {
        const sorted = values.toSorted((a, b) => a - b);
        const exact = sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1] ?? Number.NaN;
        const read = quantileNs(histogramOf(values), q) ?? Number.NaN;
        expect(read).toBeGreaterThanOrEqual(exact);
        expect(read).toBeLessThanOrEqual(exact * (1 + 1 / 16));
      }),
    );
  });

  it('rises with the share', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(durations, share, share, (values, a, b) => {
        const histogram = histogramOf(values);
        const low = quantileNs(histogram, Math.min(a, b)) ?? Number.NaN;
        expect(low).toBeLessThanOrEqual(quantileNs(histogram, Math.max(a, b)) ?? Number.NaN);
      }),
    );
  });
});

describe('mergeHistograms', () => {
  it('gives what one histogram of all durations would be', () => {
    fc.assert(
      fc.property(fc.array(durations, { maxLength: 5 }), (groups) => {
        expect(mergeHistograms(groups.map(histogramOf))).toEqual(histogramOf(groups.flat()));
      }),
    );
  });
});
