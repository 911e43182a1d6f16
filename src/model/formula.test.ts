import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ratio } from '../api/index.ts';
import { type TuneInput, tuneGogc } from './formula.ts';
import { gogcOfSetting } from './gogc-setting.ts';
import { heapGoalBytes } from './heap-fit.ts';
import { syntheticSpec } from './testing.ts';

const { tuning } = syntheticSpec();
const MIB = 2 ** 20;
const withBounds = (gogc: Record<string, unknown>) => syntheticSpec({ tuning: { gogc } }).tuning;

describe('the tuning formula', () => {
  it.each([
    [0, 50],
    [5000, 50],
    [7500, 75],
    [10_000, 100],
    [20_000, 200],
    [20_049, 200],
    [20_051, 201],
  ])('%d active → GOGC %d', (active, gogc) => {
    expect(tuneGogc({ active, tuning })).toMatchObject({ gogc, clampedBy: [], fits: true, targetGogc: gogc });
  });

  it.each<[string, Partial<TuneInput>, number, string[]]>([
    ['the maximum', { active: 100_000 }, 400, ['max']],
    ['the minimum', { active: 0, tuning: withBounds({ min: 80 }) }, 80, ['min']],
    ['one step up', { active: 20_000, currentGogc: 10 }, 20, ['maxStep']],
    ['one step down', { active: 0, currentGogc: 400 }, 200, ['maxStep']],
    ['a step within the range', { active: 10_000, currentGogc: 60 }, 100, []],
    ['a small step', { active: 10_000, currentGogc: 50, tuning: withBounds({ maxStep: '10%' }) }, 55, ['maxStep']],
    ['a step below the minimum, from below it', { active: 0, currentGogc: 10 }, 20, ['maxStep']],
    ['a step with the maximum', { active: 1_000_000, currentGogc: 100 }, 200, ['max', 'maxStep']],
    [
      'a step too small for a whole number',
      { active: 5000, currentGogc: 5, tuning: withBounds({ maxStep: '10%' }) },
      5,
      ['maxStep'],
    ],
    ['GOGC that is off', { active: 5000, currentGogc: -1 }, 50, []],
  ])('honours %s', (_, over, gogc, clampedBy) => {
    expect(tuneGogc({ active: 5000, tuning, ...over })).toMatchObject({ gogc, clampedBy });
  });

  it('never lets the heap goal outgrow its share of the memory limit, even below the minimum', () => {
    const heap = { heapLiveBytes: 100 * MIB, rootsBytes: 0, nonGoBytes: 20 * MIB };
    // 90 % of 200 MiB less 20 less 100 leaves 60 MiB: GOGC 60.
    expect(tuneGogc({ active: 20_000, tuning, ...heap, memoryLimitBytes: 200 * MIB })).toMatchObject({
      gogc: 60,
      clampedBy: ['memory'],
    });
    const tight = tuneGogc({ active: 20_000, tuning, ...heap, memoryLimitBytes: 150 * MIB });
    expect(tight).toMatchObject({ gogc: 15, clampedBy: ['memory'], fits: true });
    expect(tight.steps.at(-1)).toContain('below the minimum 25');
  });

  it('says that memory is the remedy where nothing fits', () => {
    const none = tuneGogc({ active: 5000, tuning, heapLiveBytes: 190 * MIB, memoryLimitBytes: 200 * MIB });
    expect(none.fits).toBe(false);
    expect(none.reason).toContain('more memory is the remedy');
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('refuses %d active robots', (active) => {
    expect(() => tuneGogc({ active, tuning })).toThrow(RangeError);
  });
});

const bytes = fc.integer({ min: 0, max: 2 ** 40 });
const inputs = fc
  .record({
    active: fc.integer({ min: 0, max: 10_000_000 }),
    currentGogc: fc.option(fc.integer({ min: -1, max: 5000 }), { nil: undefined }),
    heapLiveBytes: fc.option(bytes, { nil: undefined }),
    rootsBytes: fc.option(bytes, { nil: undefined }),
    nonGoBytes: fc.option(bytes, { nil: undefined }),
    memoryLimitBytes: fc.option(bytes, { nil: undefined }),
    bounds: fc.tuple(fc.integer({ min: 5, max: 2000 }), fc.integer({ min: 5, max: 2000 })),
    maxStep: fc.integer({ min: 1, max: 900 }),
    base: fc.integer({ min: 5, max: 1000 }),
    baseline: fc.integer({ min: 1, max: 100_000 }),
  })
  .map(({ bounds, maxStep, base, baseline, ...input }): TuneInput => {
    const [min, max] = [Math.min(...bounds), Math.max(...bounds)];
    return {
      ...input,
      tuning: syntheticSpec({ tuning: { formula: { base, baseline }, gogc: { min, max, maxStep: `${maxStep}%` } } })
        .tuning,
    };
  });

describe('whatever the input', () => {
  it('leaves the bounds only where step or memory say so', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const { gogc, clampedBy } = tuneGogc(input);
        const { min, max } = input.tuning.gogc;
        expect(Number.isInteger(gogc)).toBe(true);
        if (!clampedBy.includes('maxStep') && !clampedBy.includes('memory'))
          expect(gogc >= min && gogc <= max).toBe(true);
        if (!clampedBy.includes('maxStep')) expect(gogc).toBeLessThanOrEqual(max);
      }),
    );
  });

  it('never changes GOGC by more than a step, but for memory downwards', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const { gogc, clampedBy } = tuneGogc(input);
        const current = input.currentGogc;
        if (current === undefined || current < 1) return;
        const factor = 1 + ratio(input.tuning.gogc.maxStep);
        expect(gogc).toBeLessThanOrEqual(current * factor + 1e-6);
        if (!clampedBy.includes('memory')) expect(gogc).toBeGreaterThanOrEqual(current / factor - 1e-6);
      }),
    );
  });

  it('never gives a GOGC whose heap goal and non-Go memory outgrow their share of the limit', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const { gogc, fits } = tuneGogc(input);
        const { heapLiveBytes: live, memoryLimitBytes: limit, rootsBytes = 0, nonGoBytes = 0 } = input;
        if (live === undefined || limit === undefined || !fits) return;
        const share = ratio(input.tuning.memoryLimit.goMemLimit) * limit;
        expect(heapGoalBytes(live, rootsBytes, gogc) + nonGoBytes).toBeLessThanOrEqual(
          share * (1 + 1e-12) + (live + rootsBytes === 0 ? Infinity : 0),
        );
      }),
    );
  });

  it('never falls when more robots are active', () => {
    fc.assert(
      fc.property(inputs, fc.integer({ min: 0, max: 1_000_000 }), (input, more) => {
        expect(tuneGogc({ ...input, active: input.active + more }).gogc).toBeGreaterThanOrEqual(tuneGogc(input).gogc);
      }),
    );
  });

  it('arrives at its target by repeated steps, where memory allows and a step is a whole number', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const free = { ...input, memoryLimitBytes: undefined };
        let current = Math.max(10, input.currentGogc ?? 10);
        for (let i = 0; i < 5000; i++) {
          const { gogc } = tuneGogc({ ...free, currentGogc: current });
          if (gogc === current) break;
          current = gogc;
        }
        const { targetGogc, gogc, clampedBy } = tuneGogc({ ...free, currentGogc: current });
        expect(gogc === targetGogc || (gogc === current && clampedBy.includes('maxStep'))).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});

describe('GOGC as Go reads it', () => {
  it.each([
    [null, 100],
    ['', 100],
    ['10', 10],
    ['0', 0],
    ['off', -1],
    ['-5', -1],
    ['OFF', 100],
    ['10%', 100],
    ['99999999999', 100],
  ])('%j → %d', (setting, gogc) => expect(gogcOfSetting(setting)).toBe(gogc));
});
