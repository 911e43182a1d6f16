import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nextTickMs } from './ticks.ts';

describe('nextTickMs', () => {
  test.each([
    { startMs: 100, nowMs: 100, due: 1100, why: 'a tick on time leads to the next grid point' },
    { startMs: 100, nowMs: 1100.2, due: 2100, why: 'a late tick does not shift the next one' },
    { startMs: 100, nowMs: 4350, due: 5100, why: 'missed ticks are skipped, not made up for' },
    {
      startMs: 100,
      nowMs: 4650,
      due: 6100,
      why: 'after a tick so late the next window is longer: too short a one would be judged by nobody',
    },
    { startMs: 100, nowMs: 50, due: 100, why: 'the grid begins at its origin' },
  ])('$why', ({ startMs, nowMs, due }) => {
    expect(nextTickMs(startMs, nowMs, 1000)).toBe(due);
  });

  test('is always later than now, by half a period to one and a half, and on the grid', () => {
    fc.assert(
      fc.property(fc.nat(1e9), fc.nat(1e9), fc.integer({ min: 1, max: 60_000 }), (startMs, elapsedMs, periodMs) => {
        const nowMs = startMs + elapsedMs;
        const due = nextTickMs(startMs, nowMs, periodMs);
        expect(due - nowMs).toBeGreaterThanOrEqual(periodMs / 2);
        expect(due - nowMs).toBeLessThan(1.5 * periodMs);
        expect((due - startMs) % periodMs).toBe(0);
      }),
    );
  });
});
