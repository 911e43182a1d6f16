import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesQuantity, PolicySpec, quantityBytes, ratio } from '../api/index.ts';
import { goMemLimitUnder, memoryLimitOver, staleGoMemLimit } from './go-mem-limit.ts';
import { loweredLimit, type MemoryUse, neededLimitBytes, raisedLimit, withHeadRoom } from './memory-limit.ts';
import { pressedNearLimit } from './memory-need.ts';
import { syntheticSpec, syntheticWindows } from './testing.ts';

const MIB = 2 ** 20;
const bounds = (over: Record<string, unknown> = {}) =>
  syntheticSpec({ tuning: { memoryLimit: { min: '64Mi', max: '1Gi', ...over } } }).tuning.memoryLimit;
const use = (over: Partial<MemoryUse> = {}): MemoryUse => ({
  memoryLimitBytes: 128 * MIB,
  useBytes: 100 * MIB,
  heapLiveBytes: 40 * MIB,
  ...over,
});

describe('GOMEMLIMIT', () => {
  it.each([
    ['a tenth stays free where non-Go memory is small', 100, 0, 90],
    ['and where 1.2 × non-Go memory is less than a tenth', 100, 8, 90],
    ['1.2 × non-Go memory stays free where that is more', 100, 20, 76],
    ['nothing is left where non-Go memory fills the limit', 100, 90, 0],
  ])('%s', (_, limitMib, nonGoMib, mib) => {
    expect(goMemLimitUnder(limitMib * MIB, nonGoMib * MIB, '90%')).toBe(mib * MIB);
  });

  it('of the least limit over it is at least what was asked for', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 40 }),
        fc.nat(2 ** 34),
        fc.integer({ min: 1, max: 99 }),
        (go, n, share) => {
          const limit = memoryLimitOver(go, n, `${share}%`);
          expect(goMemLimitUnder(limit, n, `${share}%`)).toBeGreaterThanOrEqual(go * (1 - 1e-9) - 1);
        },
      ),
    );
  });

  it.each<[string, number | null, number | null, number | undefined, 'above' | 'below' | undefined]>([
    ['none set', null, 128, undefined, undefined],
    ['no limit', 115, null, undefined, undefined],
    ['nine tenths of the limit', 115, 128, undefined, undefined],
    ['above the limit', 200, 128, undefined, 'above'],
    ['far below, as the team chose', 64, 128, undefined, undefined],
    ['nine tenths of a limit that has been raised since', 115, 256, 128, 'below'],
    ['lower than any limit there was, on purpose', 20, 256, 20, 'below'],
    ['raised with the limit', 230, 256, 128, undefined],
    ['between the limits, so set by somebody since', 160, 256, 128, undefined],
  ])('with %s is told as stale or not', (_, go, limit, earlier, type) => {
    const bytes = (mib: number | null) => (mib === null ? null : mib * MIB);
    const stale = staleGoMemLimit(bytes(go), bytes(limit), {
      nonGoBytes: 0,
      share: '90%',
      earlierLimitBytes: earlier === undefined ? undefined : earlier * MIB,
    });
    expect(stale?.type).toBe(type);
  });
});

describe('the limit that is needed', () => {
  it.each<[string, Partial<MemoryUse>, number]>([
    ['leaves a tenth over what is in use', { useBytes: 200 * MIB }, 220],
    ['lets the live heap fill 60 % of GOMEMLIMIT', { heapLiveBytes: 108 * MIB }, 200],
    ['with room for non-Go memory', { heapLiveBytes: 108 * MIB, nonGoBytes: 100 * MIB }, 300],
    ['fits the goal of GOGC', { heapLiveBytes: 90 * MIB, gogc: 200 }, 300],
    ['counts roots in that goal', { heapLiveBytes: 90 * MIB, rootsBytes: 45 * MIB, gogc: 200 }, 400],
    ['asks nothing of GOGC where it is off', { heapLiveBytes: 54 * MIB, gogc: -1 }, 110],
  ])('%s', (_, over, mib) => {
    expect(neededLimitBytes(use(over), bounds()) / MIB).toBeCloseTo(mib, 3);
  });
});

describe('a step up', () => {
  it('is the share that the policy says, in whole MiB', () => {
    expect(raisedLimit(use(), bounds())).toMatchObject({ limitBytes: 160 * MIB, clampedBy: [] });
    expect(raisedLimit(use({ memoryLimitBytes: 130 * MIB + 1 }), bounds())).toMatchObject({ limitBytes: 163 * MIB });
  });

  it('says that more is needed than one step gives', () => {
    const step = raisedLimit(use({ heapLiveBytes: 200 * MIB }), bounds());
    expect(step).toMatchObject({ limitBytes: 160 * MIB, clampedBy: ['maxStep'] });
  });

  it('ends at the maximum, and does not begin there', () => {
    expect(raisedLimit(use(), bounds({ max: '140Mi' }))).toMatchObject({ limitBytes: 140 * MIB });
    expect(raisedLimit(use(), bounds({ max: '128Mi' }))).toMatch(/128 MiB is at the policy's maximum of 128Mi/);
  });

  it('is not taken where the team set no maximum', () => {
    const { memoryLimit } = syntheticSpec().tuning;
    expect(raisedLimit(use(), memoryLimit)).toMatch(/sets no tuning.memoryLimit.max/);
  });
});

describe('a step down', () => {
  const calm = use({ memoryLimitBytes: 256 * MIB, useBytes: 60 * MIB, heapLiveBytes: 20 * MIB });

  it('undoes one step up', () => {
    expect(loweredLimit(calm, bounds(), 0)?.limitBytes).toBe(205 * MIB);
    expect(loweredLimit({ ...calm, memoryLimitBytes: 160 * MIB }, bounds(), 0)?.limitBytes).toBe(128 * MIB);
  });

  it('goes no lower than what the team had set', () => {
    expect(loweredLimit(calm, bounds(), 250 * MIB)?.limitBytes).toBe(250 * MIB);
    expect(loweredLimit(calm, bounds(), 256 * MIB)).toBeUndefined();
  });

  it('is not taken into what is in use', () => {
    expect(loweredLimit({ ...calm, useBytes: 210 * MIB }, bounds(), 0)?.limitBytes).toBe(231 * MIB);
    expect(loweredLimit({ ...calm, useBytes: 240 * MIB }, bounds(), 0)).toBeUndefined();
  });
});

describe('whatever the use, the bounds and the step', () => {
  const MOST = 2 ** 36;
  const anyUse = fc.record({
    memoryLimitBytes: fc.integer({ min: MIB, max: MOST }),
    useBytes: fc.nat(MOST),
    heapLiveBytes: fc.nat(MOST),
    rootsBytes: fc.nat(MIB),
    nonGoBytes: fc.nat(2 ** 30),
    gogc: fc.integer({ min: -1, max: 2000 }),
  });
  const anyBounds = fc
    .record({ low: fc.integer({ min: 1, max: 60_000 }), span: fc.nat(60_000), step: fc.integer({ min: 1, max: 900 }) })
    .map(({ low, span, step }) =>
      PolicySpec.shape.tuning.parse({ memoryLimit: { min: `${low}Mi`, max: `${low + span}Mi`, step: `${step}%` } }),
    )
    .map(({ memoryLimit }) => memoryLimit);
  const runs = { numRuns: 20_000 };

  it('a step up is up, within the maximum and the step', () => {
    fc.assert(
      fc.property(anyUse, anyBounds, (facts, limits) => {
        const step = raisedLimit(facts, limits);
        if (typeof step === 'string') return;
        expect(step.limitBytes).toBeGreaterThan(facts.memoryLimitBytes);
        expect(step.limitBytes).toBeLessThanOrEqual(quantityBytes(limits.max ?? '') ?? 0);
        expect(step.limitBytes).toBeLessThan(facts.memoryLimitBytes * (1 + ratio(limits.step)) + MIB);
      }),
      runs,
    );
  });

  it('a step down is down, within the minimum and the step, over what is in use, and never below the floor', () => {
    fc.assert(
      fc.property(anyUse, anyBounds, fc.nat(MOST), (facts, limits, floor) => {
        const step = loweredLimit(facts, limits, floor);
        if (step === undefined) return;
        expect(step.limitBytes).toBeLessThan(facts.memoryLimitBytes);
        expect(step.limitBytes).toBeGreaterThanOrEqual(quantityBytes(limits.min ?? '') ?? 0);
        expect(step.limitBytes).toBeGreaterThanOrEqual(floor);
        expect(step.limitBytes).toBeGreaterThanOrEqual(withHeadRoom(facts.useBytes));
        expect(step.limitBytes).toBeGreaterThanOrEqual(facts.memoryLimitBytes / (1 + ratio(limits.step)) - 1);
      }),
      runs,
    );
  });

  it('what a step up gave is not taken back at once where it was needed', () => {
    fc.assert(
      fc.property(anyUse, anyBounds, (facts, limits) => {
        const up = raisedLimit(facts, limits);
        if (typeof up === 'string' || up.neededBytes < up.limitBytes) return;
        expect(loweredLimit({ ...facts, memoryLimitBytes: up.limitBytes }, limits, 0)).toBeUndefined();
      }),
      runs,
    );
  });

  it('a quantity is written exactly', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 45), (bytes) => {
        expect(quantityBytes(bytesQuantity(bytes))).toBe(bytes);
      }),
    );
  });
});

describe('pressure asks for memory', () => {
  const windows = (pressed: readonly [some: number, workingSetMib: number][]) =>
    syntheticWindows(pressed.length, (seq) => {
      const [some = 0, mib = 0] = pressed[seq] ?? [];
      return {
        cgroup: {
          memoryLimitBytes: 100 * MIB,
          workingSetBytes: mib * MIB,
          memoryCurrentBytes: 99 * MIB,
          memoryPressure: { some, full: 0 },
        },
      };
    });

  it.each<[string, [number, number][], number]>([
    [
      'near the limit in two windows in a row',
      [
        [0, 50],
        [0.2, 90],
        [0.2, 90],
      ],
      2,
    ],
    [
      'not in one window alone',
      [
        [0.2, 90],
        [0, 90],
        [0.2, 90],
      ],
      0,
    ],
    [
      'not far from the limit, whatever the page cache holds',
      [
        [0.5, 50],
        [0.5, 50],
        [0.5, 50],
      ],
      0,
    ],
    [
      'not under the threshold',
      [
        [0.1, 99],
        [0.1, 99],
      ],
      0,
    ],
  ])('%s', (_, pressed, count) => {
    expect(pressedNearLimit(windows(pressed), 0.1)).toHaveLength(count);
  });
});
