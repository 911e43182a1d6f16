/** A leak told before any breach, asked for each five minutes as it goes on. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { slowLeakOf } from './slow-leak.ts';
import { historyOf } from './testing.ts';

const MIB = 2 ** 20;
const FIVE_MINUTES = 1 / 12;

/** Hours after the start of the program. */
function firstTold(limitMib: number | null, liveMib: (hour: number) => number, withinHours = 6): number | undefined {
  const all = historyOf(withinHours, (hour) => ({ liveMib: liveMib(hour) }));
  const limitBytes = limitMib === null ? null : limitMib * MIB;
  const at = all.findIndex((_, index) => slowLeakOf(all.slice(0, index + 1), limitBytes) !== undefined);
  return at < 0 ? undefined : (at + 1) / 12;
}

it('a leak is told as soon as it can be, or after an eighth of the time that is left until the limit, three hours at most (of the first 75 minutes a quarter)', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.4, max: 4, noNaN: true }),
      fc.double({ min: 200, max: 4000, noNaN: true }),
      (paceOfBase, limitMib) => {
        const liveMib = (hour: number) => 100 + 100 * paceOfBase * hour;
        const soonest = firstTold(null, liveMib) ?? Number.NaN;
        const told = firstTold(limitMib, liveMib) ?? Number.NaN;
        expect(soonest).toBeLessThanOrEqual(1);
        const leftThen = (limitMib - liveMib(told)) / (100 * paceOfBase);
        const patience = Math.max(Math.min(1.25, leftThen / 4), Math.min(3, leftThen / 8));
        expect(told).toBeLessThanOrEqual(Math.max(soonest, patience + 3 * FIVE_MINUTES));
      },
    ),
  );
});

it('a cache with a limit that leaves it three times its room and more is never told while it fills, of whatever size and pace', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 20, max: 1000, noNaN: true }),
      fc.double({ min: 0.1, max: 8, noNaN: true }),
      fc.double({ min: 3, max: 10, noNaN: true }),
      fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 72, maxLength: 72 }),
      (sizeMib, timeConstant, timesItsRoom, jitter) => {
        const noise = (hour: number) => 0.002 * sizeMib * (jitter[Math.round(hour * 12) - 1] ?? 0);
        const liveMib = (hour: number) => 100 + sizeMib * (1 - Math.exp(-hour / timeConstant)) + noise(hour);
        expect(firstTold(100 + timesItsRoom * sizeMib, liveMib)).toBeUndefined();
      },
    ),
    { numRuns: 50 },
  );
});
