import { describe, expect, it } from 'vitest';
import { PolicySpec } from '../../../src/api/index.ts';
import { deriveThresholds } from '../../../src/model/index.ts';
import { syntheticWindow } from '../../../src/model/testing.ts';
import { compare, type MeanOutcome } from './compare.ts';
import { bareFormula, type Candidate, type Controller, fixed, inProcessTuner } from './controllers.ts';
import { policySpec } from './policy.ts';
import { product } from './product.ts';
import { type Outcome, run } from './run.ts';
import { SHAPES, type Shape } from './shapes.ts';

const MIB = 2 ** 20;
const [steady] = SHAPES;
if (!steady) throw new Error('no shape');

const forSeconds = (seconds: number, over: Partial<Shape> = {}): Shape => ({ ...steady, seconds, ...over });

function outcome(shape: Shape, candidate: Candidate): Outcome {
  const thresholds = deriveThresholds(PolicySpec.parse(policySpec(shape.memoryLimitBytes)));
  return run(shape, candidate, { thresholds, latencySeconds: 0.2 }, 1);
}

describe('a run', () => {
  it('has the same outcome from the same seed', () => {
    const [one, again] = [1, 2].map(() => outcome(forSeconds(60), fixed('GOGC=50', 50, false)));
    expect(again).toEqual(one);
  });

  it('counts every second in which the collector takes more than the SLA leaves it', () => {
    // Robots connect in the first minute and a half.
    expect(outcome(forSeconds(180), fixed('GOGC=10', 10, false)).violatingSeconds).toBeGreaterThan(90);
    expect(outcome(forSeconds(180), fixed('GOGC=100', 100, false)).violatingSeconds).toBe(0);
  });

  it('ends a program that needs more than its memory limit, and counts until its robots are back', () => {
    const tight = forSeconds(180, { memoryLimitBytes: 120 * MIB });
    const killed = outcome(tight, fixed('GOGC=200', 200, false));
    expect(killed.oomKills).toBeGreaterThan(0);
    expect(killed.violatingSeconds).toBeGreaterThan(60);
    expect(outcome(tight, fixed('GOGC=50', 50, false)).oomKills).toBe(0);
  });
});

describe('a simple controller', () => {
  const settings = { gogc: 100, goMemLimitBytes: null, memoryLimitBytes: 500 * MIB };

  it.each([
    ['spends what is left of 70 % of the memory', 100, 250],
    ['at least 50', 330, 50],
    ['at most 500', 10, 500],
  ])('in the process %s', (_, usedMib, gogc) => {
    const tuner = inProcessTuner('tuner', (each) => Math.min(500, Math.max(50, each))).control(settings);
    expect(tuner.pace === 'cycle' && tuner.next(usedMib * MIB, settings).gogc).toBe(gogc);
  });

  it('by the bare formula grows with the robots, whatever fits', () => {
    const { pace, next } = { ...bareFormula(100, 10_000).control(settings) } as Extract<Controller, { pace: 'second' }>;
    const gogcs = [5_000, 20_000, 40_000].map((activeRobots) => next(syntheticWindow(1, { activeRobots }), settings));
    expect([pace, ...gogcs]).toMatchObject(['second', { gogc: 100 }, { gogc: 200 }, { gogc: 400 }]);
  });
});

describe('the product in the simulator', () => {
  const started = (gogc: number): Candidate =>
    product({ name: 'robotgc', spec: policySpec, start: fixed('', gogc, false).start });

  it('leaves a program alone that keeps its SLA', () => {
    expect(outcome(forSeconds(120), started(100))).toMatchObject({ violatingSeconds: 0, oomKills: 0 });
  });

  it('heals one whose GOGC is too low, within its steps and its cool-down', () => {
    const healed = outcome(forSeconds(600), started(15));
    expect(healed.actions).toBeGreaterThan(0);
    expect(healed.violatingSeconds).toBeLessThan(300);
  });

  it('gives the memory back that a surge took, once it is calm again', () => {
    const spec = (memoryLimitBytes: number) => {
      const { tuning, actions, ...rest } = policySpec(memoryLimitBytes);
      const memoryLimit = { ...tuning.memoryLimit, lowerAfter: '2m' };
      const quick = { cooldown: '20s', budget: { actions: 100, per: '1h' }, verify: { after: '20s', window: '20s' } };
      return { ...rest, tuning: { ...tuning, memoryLimit }, actions: { ...actions, ...quick } };
    };
    const told: string[] = [];
    const tell = (_: number, sentence: string) => told.push(sentence);
    const start = fixed('', 100, false).start;
    const load: Shape['load'] = (second, alive) => {
      const { activeRobots, reachableBytes, allocBytesPerSecond, ...rest } = steady.load(second, alive);
      const times = second >= 120 && second < 300 ? 3.5 : 1;
      return {
        ...rest,
        activeRobots: times * activeRobots,
        reachableBytes: times * reachableBytes,
        allocBytesPerSecond: times * allocBytesPerSecond,
      };
    };
    const { oomKills } = outcome(forSeconds(1200, { load }), product({ name: 'robotgc', spec, start, tell }));
    const limits = told.flatMap((each) => /MemoryLimit \S+ → (\S+) on .* is in effect/.exec(each)?.[1] ?? []);
    expect(limits.slice(0, 1)).toEqual(['640Mi']);
    expect(limits.at(-1)).toBe('512Mi');
    expect(oomKills).toBe(0);
  }, 60_000);
});

describe('a comparison', () => {
  const of = (violatingSeconds: number, over: Partial<MeanOutcome> = {}): MeanOutcome => ({
    ...{ controller: 'c', violatingSeconds, gcCpuShare: 0.01, peakBytes: MIB, actions: 0, oomKills: 0 },
    ...over,
  });

  it('holds the product against the best of each kind', () => {
    const aims = (own: MeanOutcome) => {
      const result = compare({ name: 's', seconds: 60 }, own, [of(30), of(12)], [of(10, { oomKills: 1 }), of(20)]);
      return [result.isNeverWorse, result.isNearOracle, result.isSafe];
    };
    expect(aims(of(11))).toEqual([true, true, true]);
    expect(aims(of(12))).toEqual([true, false, true]);
    expect(aims(of(13, { oomKills: 1 }))).toEqual([false, false, false]);
  });

  it('makes nothing of a difference that may be chance', () => {
    const aims = (violatingSeconds: number) => {
      const result = compare({ name: 's', seconds: 60 }, of(violatingSeconds), [of(12)], [of(10)], 2);
      return [result.isNeverWorse, result.isNearOracle];
    };
    expect(aims(13)).toEqual([true, true]);
    expect(aims(14)).toEqual([true, false]);
    expect(aims(15)).toEqual([false, false]);
  });

  it('takes the cheaper of two settings that break the SLA as seldom for the oracle', () => {
    const [dear, cheap] = [of(10, { gcCpuShare: 0.05 }), of(10, { gcCpuShare: 0.01 })];
    expect(compare({ name: 's', seconds: 60 }, of(10), [of(10)], [dear, cheap]).oracle).toBe(cheap);
  });
});
