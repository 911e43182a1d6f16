import { describe, expect, it } from 'vitest';
import { CONTENDERS, type Contender, PRODUCT, TWIN } from './candidates.ts';
import { compared, secondsOfMachine } from './compared.ts';
import type { Fault } from './yardstick.ts';

/** A letter a second, as in the results. */
const course = (letters: string): (Fault | null)[] =>
  [...letters].map((letter) => (['away', 'late', 'gc'] as const).find((fault) => fault.startsWith(letter)) ?? null);

const dots = '··········';

function result(courses: Readonly<Record<string, string>>) {
  const contenders = CONTENDERS.map((contender: Contender) => ({
    contender,
    faults: course(courses[contender.id] ?? dots),
    ...{ gcCpuShare: 0.01, peakBytes: 1, gogcChanges: 0, oomKills: 0, actions: 0 },
  }));
  return compared('some', dots.length, { contenders, told: [], lateTurns: 0 });
}

describe('the product under a shape', () => {
  it('is held against all who ran beside it, with what went wrong and when', () => {
    const { product, isNeverWorse } = result({ [PRODUCT.id]: '·agl······' });
    expect(product).toMatchObject({ violatingSeconds: 3, faults: { away: 1, late: 1, gc: 1 }, course: '·agl······' });
    expect(isNeverWorse).toBe(false);
  });

  it('is not worse by less than two robots of the same setting differ', () => {
    expect(result({ [PRODUCT.id]: '·gg·······', [TWIN.id]: '···ll·····' })).toMatchObject({
      twinSeconds: 2,
      isNeverWorse: true,
    });
  });

  it('is not worse for a second in which the machine stood still', () => {
    const half = CONTENDERS.slice(0, CONTENDERS.length / 2).map(({ id }): [string, string] => [id, '·l········']);
    const stood = result({ ...Object.fromEntries(half), [TWIN.id]: '·l········' });
    expect(stood).toMatchObject({ machineSeconds: 1, twinSeconds: 0, isNeverWorse: true });
    expect(secondsOfMachine([course('l··'), course('lg·'), course('··l'), course('·g·')])).toBe(1);
  });
});
