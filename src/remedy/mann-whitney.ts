/**
 * Mann–Whitney U test: do values of one sample tend to be lower than those of another? Rank-based, so a few huge stalls decide
 * nothing. H. B. Mann, D. R. Whitney, "On a test of whether one of two random variables is stochastically larger than the other", 1947.
 */

export interface MannWhitney {
  /** Pairs in which `a` is above `b`, ties counted half: 0 = every `a` is below every `b`. */
  readonly u: number;
  /** One-sided p-value of "a tends to be lower than b". */
  readonly pLower: number;
}

/** Exact without ties up to this many pairs, beyond it normal approximation with tie and continuity correction. */
const EXACT_PAIRS = 400;

/** Empty samples tell nothing: p = 1. */
export function mannWhitneyLower(a: readonly number[], b: readonly number[]): MannWhitney {
  if (a.length === 0 || b.length === 0) return { u: 0, pLower: 1 };
  let u = 0;
  let tied = false;
  for (const x of a) {
    for (const y of b) {
      if (x > y) u += 1;
      else if (x === y) {
        u += 0.5;
        tied = true;
      }
    }
  }
  const exact = !tied && a.length * b.length <= EXACT_PAIRS;
  return { u, pLower: exact ? exactCdf(u, a.length, b.length) : normalCdfOf(u, a, b) };
}

/** P(U ≤ u) under "no difference": share of all arrangements, counted by the recurrence f(m,n,u) = f(m−1,n,u−n) + f(m,n−1,u). */
function exactCdf(u: number, m: number, n: number): number {
  let previous: number[][] = Array.from({ length: n + 1 }, () => [1]);
  for (let i = 1; i <= m; i++) {
    const row: number[][] = [[1]];
    for (let j = 1; j <= n; j++) {
      const without = row[j - 1] ?? [];
      const taken = previous[j] ?? [];
      row.push(Array.from({ length: i * j + 1 }, (_, v) => (taken[v - j] ?? 0) + (without[v] ?? 0)));
    }
    previous = row;
  }
  const counts = previous[n] ?? [];
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.slice(0, Math.floor(u) + 1).reduce((sum, count) => sum + count, 0) / total;
}

function normalCdfOf(u: number, a: readonly number[], b: readonly number[]): number {
  const [m, n] = [a.length, b.length];
  const total = m + n;
  const variance = ((m * n) / 12) * (total + 1 - tieTerm([...a, ...b]) / (total * (total - 1)));
  // All values equal: no evidence of anything.
  if (variance <= 0) return 1;
  return normalCdf((u - (m * n) / 2 + 0.5) / Math.sqrt(variance));
}

/** Σ (t³ − t) over groups of t equal values. */
function tieTerm(values: readonly number[]): number {
  const groups = new Map<number, number>();
  for (const value of values) groups.set(value, (groups.get(value) ?? 0) + 1);
  return [...groups.values()].reduce((sum, t) => sum + (t ** 3 - t), 0);
}

/** Abramowitz & Stegun 26.2.17, error below 7.5e-8. */
export function normalCdf(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const poly = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const upper = (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * poly;
  return z >= 0 ? 1 - upper : upper;
}
