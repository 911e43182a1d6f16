import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mannWhitneyLower, normalCdf } from './mann-whitney.ts';

/** Two samples without ties whose U is exactly `u`: `a` begins below every `b`, then single values are lifted. */
function samples(m: number, n: number, u: number): [number[], number[]] {
  const b = Array.from({ length: n }, (_, i) => i + 1);
  let left = u;
  const a = Array.from({ length: m }, (_, i) => {
    const above = Math.min(n, left);
    left -= above;
    return above + 0.5 - i * 1e-6;
  });
  return [a, b];
}

describe('Mann–Whitney U', () => {
  // Critical values, one-sided at 5 %, from the published table (Mann & Whitney 1947; Siegel 1956, table K).
  it.each([
    [3, 3, 0],
    [4, 4, 1],
    [5, 5, 4],
    [6, 6, 7],
    [7, 7, 11],
    [8, 8, 15],
    [10, 10, 27],
    [12, 12, 42],
    [15, 15, 72],
    [20, 20, 138],
    [5, 10, 11],
    [8, 12, 26],
  ])('n = %d and %d: U = %d is significant, one more is not', (m, n, critical) => {
    const at = mannWhitneyLower(...samples(m, n, critical));
    expect(at.u).toBe(critical);
    expect(at.pLower).toBeLessThanOrEqual(0.05);
    expect(mannWhitneyLower(...samples(m, n, critical + 1)).pLower).toBeGreaterThan(0.05);
  });

  it('has the exact extreme probability 1 ÷ (m + n over m)', () => {
    expect(mannWhitneyLower([1, 2, 3], [4, 5, 6]).pLower).toBeCloseTo(1 / 20, 12);
    expect(mannWhitneyLower([4, 5, 6], [1, 2, 3]).pLower).toBe(1);
  });

  it('agrees between exact and approximated, where both apply', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 1e6 }), { minLength: 40, maxLength: 40 }), (values) => {
        const [a, b] = [values.slice(0, 20), values.slice(20)];
        const exact = mannWhitneyLower(a, b).pLower;
        // One tie forces the approximation; 20 values make its effect small.
        const approximate = mannWhitneyLower([...a, 2e6], [...b, 2e6]).pLower;
        expect(Math.abs(exact - approximate)).toBeLessThan(0.03);
      }),
    );
  });

  it('approximates with continuity: half of all arrangements lie below the middle', () => {
    expect(mannWhitneyLower(...samples(21, 21, 220)).pLower).toBeCloseTo(0.5, 6);
  });

  it('finds nothing in equal values or empty samples', () => {
    expect(mannWhitneyLower([1, 1, 1], [1, 1, 1]).pLower).toBe(1);
    expect(mannWhitneyLower([], [1]).pLower).toBe(1);
  });

  it('counts pairs: U of a over b and of b over a are all pairs together', () => {
    const lists = fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(lists, lists, (a, b) => {
        expect(mannWhitneyLower(a, b).u + mannWhitneyLower(b, a).u).toBe(a.length * b.length);
      }),
    );
  });

  it.each([
    [0, 0.5],
    [-1.644854, 0.05],
    [1.959964, 0.975],
    [-3, 0.001349898],
  ])('Φ(%d) = %d', (z, p) => expect(normalCdf(z)).toBeCloseTo(p, 6));
});
