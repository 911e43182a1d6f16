import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PressureJudge } from './pressure-onset.ts';
import { TrailingStall } from './trailing-stall.ts';

const ms = 1e6;

describe('TrailingStall', () => {
  test('is the rise over the last window, also when readings do not fall on its start', () => {
    const stall = new TrailingStall(1000 * ms);
    expect(stall.share({ atNs: 0, totalNs: 500 * ms })).toBe(0);
    expect(stall.share({ atNs: 400 * ms, totalNs: 600 * ms })).toBeCloseTo(0.1);
    expect(stall.share({ atNs: 1000 * ms, totalNs: 600 * ms })).toBeCloseTo(0.1);
    // Half of the first 400 ms has left the window.
    expect(stall.share({ atNs: 1200 * ms, totalNs: 600 * ms })).toBeCloseTo(0.05);
    expect(stall.share({ atNs: 5000 * ms, totalNs: 600 * ms })).toBe(0);
  });

  test('a total that fell begins anew', () => {
    const stall = new TrailingStall(1000 * ms);
    stall.share({ atNs: 0, totalNs: 900 * ms });
    expect(stall.share({ atNs: 200 * ms, totalNs: 10 * ms })).toBe(0);
    expect(stall.share({ atNs: 400 * ms, totalNs: 30 * ms })).toBeCloseTo(0.02);
  });
});

/** Stall rates (0 to 1) for stretches of some ms → the true `total` in ms at each ms. */
function totals(stretches: readonly { readonly forMs: number; readonly rate: number }[]): number[] {
  const at = [0];
  for (const { forMs, rate } of stretches) {
    for (let i = 0; i < forMs; i++) at.push((at.at(-1) ?? 0) + rate);
  }
  return at;
}
const stretches = fc.array(
  fc.record({ forMs: fc.integer({ min: 1, max: 900 }), rate: fc.double({ min: 0, max: 1, noNaN: true }) }),
  { minLength: 2, maxLength: 8 },
);
const windowMs = 1000;

test('property: the share is the true one within the distance of the window’s start to the nearest reading', () => {
  fc.assert(
    fc.property(
      stretches,
      fc.array(fc.integer({ min: 120, max: 280 }), { minLength: 40, maxLength: 40 }),
      (s, gaps) => {
        const truth = totals(s);
        const stall = new TrailingStall(windowMs * ms);
        const readAt: number[] = [];
        let at = 0;
        for (const gap of gaps) {
          if (at >= truth.length) break;
          readAt.push(at);
          const share = stall.share({ atNs: at * ms, totalNs: (truth[at] ?? 0) * ms });
          const start = at - windowMs;
          const trueShare = ((truth[at] ?? 0) - (truth[Math.max(0, start)] ?? 0)) / windowMs;
          const nearest = start <= 0 ? 0 : Math.min(...readAt.map((r) => Math.abs(r - start)));
          expect(Math.abs(share - trueShare)).toBeLessThanOrEqual(nearest / windowMs + 1e-9);
          at += gap;
        }
      },
    ),
  );
});

test('property: with a reading each 200 ms a breach that lasts is known within 200 ms, and none is made up', () => {
  const limits = { memoryPressureSome: 0.1, memoryPressureFull: 2 };
  fc.assert(
    fc.property(stretches, fc.integer({ min: 0, max: 199 }), (s, phaseMs) => {
      const truth = totals(s);
      const over = (t: number): boolean =>
        ((truth[t] ?? 0) - (truth[Math.max(phaseMs, t - windowMs)] ?? 0)) / windowMs > limits.memoryPressureSome + 1e-9;
      const judge = new PressureJudge();
      const told: number[] = [];
      for (let t = phaseMs; t < truth.length; t += 200) {
        const began = judge.judge({ atNs: t * ms, someNs: (truth[t] ?? 0) * ms, fullNs: null }, limits);
        if (began.length > 0) told.push(t);
      }
      for (const t of told) expect(over(t) || over(t + 1)).toBe(true);
      // The first stretch of 200 ms that is above the limit throughout holds a reading, which must have told it by then.
      let since: number | null = null;
      for (let t = phaseMs; t < truth.length; t++) {
        if (!over(t)) since = null;
        else since ??= t;
        if (since !== null && t - since === 200) {
          expect(told[0] ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(t);
          break;
        }
      }
    }),
  );
});

describe('PressureJudge', () => {
  const limits = { memoryPressureSome: 0.1, memoryPressureFull: 0.01 };
  const feed = (rates: readonly [some: number, full: number | null][]): string[] => {
    const judge = new PressureJudge();
    let [someNs, fullNs] = [0, 0];
    return rates.flatMap(([some, full], index) => {
      someNs += some * 200 * ms;
      fullNs += (full ?? 0) * 200 * ms;
      const reading = { atNs: index * 200 * ms, someNs, fullNs: full === null ? null : fullNs };
      return judge.judge(reading, limits).map(({ signal }) => `${index} ${signal}`);
    });
  };

  test('tells each stretch once, the more urgent line first', () => {
    const calm = Array.from({ length: 8 }, (): [number, number] => [0, 0]);
    const pressed = Array.from({ length: 8 }, (): [number, number] => [0.9, 0.3]);
    expect(feed([...calm, ...pressed, ...calm, ...pressed])).toEqual([
      '8 memoryPressureFull',
      '8 memoryPressureSome',
      '24 memoryPressureFull',
      '24 memoryPressureSome',
    ]);
  });

  test('a share that swings around the limit is one stretch', () => {
    const swinging = Array.from({ length: 30 }, (_, i): [number, number] => [i % 10 < 5 ? 0.13 : 0.08, 0]);
    expect(feed(swinging)).toHaveLength(1);
  });

  test('without a full line, some alone is judged', () => {
    expect(
      feed([
        [0, null],
        [0.9, null],
      ]),
    ).toEqual(['1 memoryPressureSome']);
  });
});
