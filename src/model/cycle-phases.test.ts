import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CyclePhases, type PhaseCycle, PhaseJoin, type PhasePause, triggerOf } from './cycle-phases.ts';

const second = 1e9;

interface Happened {
  readonly pauses: PhasePause[];
  readonly cycle: PhaseCycle;
  readonly phases: Omit<CyclePhases, 'trigger'>;
}

/** One cycle as a probe sees it: other stops and a mark termination that was tried in vain may lie between. */
const recipe = fc.record({
  restNs: fc.integer({ min: 20_000, max: 5e9 }),
  askedNs: fc.integer({ min: 0, max: 200_000 }),
  sweepNs: fc.integer({ min: 1_000, max: 3e6 }),
  markNs: fc.integer({ min: 10_000, max: 3e9 }),
  endNs: fc.integer({ min: 1_000, max: 3e6 }),
  /** From the runtime's end of the last pause to where the cycle's facts are read. */
  readAfterNs: fc.integer({ min: -1_000, max: 5e6 }),
  other: fc.boolean(),
  inVain: fc.boolean(),
});
type Recipe = typeof recipe extends fc.Arbitrary<infer T> ? T : never;

function happen(recipes: readonly Recipe[]): Happened[] {
  let atNs = 1e12;
  return recipes.map(({ restNs, askedNs, sweepNs, markNs, endNs, readAfterNs, other, inVain }) => {
    const markStartNs = atNs + restNs;
    const begin = { reason: 2, startNs: markStartNs + askedNs, totalNs: sweepNs };
    const end = { reason: 1, startNs: begin.startNs + sweepNs + markNs, totalNs: endNs };
    atNs = end.startNs + endNs + readAfterNs;
    const stop = (reason: number, share: number): PhasePause => ({
      reason,
      startNs: begin.startNs + sweepNs + Math.floor(markNs * share),
      totalNs: Math.floor(markNs / 10),
    });
    return {
      pauses: [begin, ...(other ? [stop(9, 0.2)] : []), ...(inVain && markNs > 100e6 ? [stop(1, 0.5)] : []), end],
      cycle: {
        atNs,
        markStartNs,
        userForced: false,
        triggeredBytes: 90e6,
        heapMarkedBytes: 50e6,
        lastHeapGoalBytes: 100e6,
      },
      phases: { sweepTerminationNs: sweepNs, concurrentMarkNs: markNs, markTerminationNs: endNs },
    };
  });
}

const phasesOf = ({ sweepTerminationNs, concurrentMarkNs, markTerminationNs }: CyclePhases): Happened['phases'] => ({
  sweepTerminationNs,
  concurrentMarkNs,
  markTerminationNs,
});

/** A flush holds what was reported until then: a pause as it ends, a cycle's facts as they are read. */
function flushes(happened: readonly Happened[], atNs: readonly number[]) {
  const pauses = happened.flatMap((one) => one.pauses);
  const cycles = happened.map(({ cycle }) => cycle);
  const reportedAfter = (startNs: number): number =>
    happened.find((one) => one.pauses.at(-1)?.startNs === startNs)?.cycle.atNs ?? 0;
  return [...[...atNs].sort((a, b) => a - b), Number.POSITIVE_INFINITY].map((untilNs, index, all) => {
    const sinceNs = index === 0 ? Number.NEGATIVE_INFINITY : (all[index - 1] ?? 0);
    const within = (reportedNs: number): boolean => reportedNs > sinceNs && reportedNs <= untilNs;
    return {
      // The last pause of a cycle is reported right after the cycle.
      pauses: pauses.filter(({ startNs, totalNs }) => within(Math.max(startNs + totalNs, reportedAfter(startNs)))),
      cycles: cycles.filter((cycle) => within(cycle.atNs)),
    };
  });
}

const offsets = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 30 });

describe('phases of a cycle', () => {
  it('are those that happened, wherever flushes cut', () => {
    fc.assert(
      fc.property(fc.array(recipe, { minLength: 1, maxLength: 12 }), offsets, (recipes, cuts) => {
        const happened = happen(recipes);
        const spanNs = (happened.at(-1)?.cycle.atNs ?? 0) - 1e12;
        const join = new PhaseJoin();
        const joined = flushes(
          happened,
          cuts.map((cut) => 1e12 + cut * spanNs),
        ).flatMap(({ pauses, cycles }) => join.join(pauses, cycles));
        expect(joined.map(({ atNs }) => atNs)).toEqual(happened.map(({ cycle }) => cycle.atNs));
        expect(joined.map(phasesOf)).toEqual(happened.map(({ phases }) => phases));
      }),
    );
  });

  it('are unknown where pauses were lost, never those of another cycle', () => {
    fc.assert(
      fc.property(fc.array(recipe, { minLength: 1, maxLength: 12 }), fc.array(fc.boolean()), (recipes, kept) => {
        const happened = happen(recipes);
        const join = new PhaseJoin();
        const pauses = happened.flatMap((one) => one.pauses).filter((_, index) => kept[index] ?? false);
        const cycles = happened.map(({ cycle }) => cycle);
        const later = { reason: 9, startNs: (cycles.at(-1)?.atNs ?? 0) + 60e9, totalNs: 1 };
        const joined = [...join.join(pauses, cycles), ...join.join([], []), ...join.join([later], [])];
        expect(joined).toHaveLength(happened.length);
        for (const [index, cycle] of joined.entries()) {
          const truth = happened[index]?.phases;
          const told = phasesOf(cycle);
          expect([null, truth?.sweepTerminationNs]).toContain(told.sweepTerminationNs);
          expect([null, truth?.concurrentMarkNs]).toContain(told.concurrentMarkNs);
          expect([null, truth?.markTerminationNs]).toContain(told.markTerminationNs);
        }
      }),
    );
  });
});

describe('the trigger of a cycle', () => {
  const before: PhaseCycle = {
    atNs: 1_000 * second,
    markStartNs: 999 * second,
    userForced: false,
    triggeredBytes: 90e6,
    heapMarkedBytes: 50e6,
    lastHeapGoalBytes: 100e6,
  };
  const cycleAfter = (seconds: number, over: Partial<PhaseCycle> = {}): PhaseCycle => ({
    ...before,
    markStartNs: before.atNs + seconds * second,
    atNs: before.atNs + (seconds + 1) * second,
    ...over,
  });

  it.each([
    { what: 'the heap', cycle: cycleAfter(3), trigger: 'heap' },
    {
      what: 'the heap at any size soon after the last',
      cycle: cycleAfter(119, { triggeredBytes: 51e6 }),
      trigger: 'heap',
    },
    { what: 'the clock', cycle: cycleAfter(120.01, { triggeredBytes: 51e6 }), trigger: 'time' },
    { what: 'the clock, at an unknown heap', cycle: cycleAfter(130, { triggeredBytes: null }), trigger: 'time' },
    { what: 'the heap, long after the last', cycle: cycleAfter(200, { triggeredBytes: 86e6 }), trigger: 'heap' },
    { what: 'the program', cycle: cycleAfter(3, { userForced: true }), trigger: 'forced' },
    { what: 'the program, long after the last', cycle: cycleAfter(300, { userForced: true }), trigger: 'forced' },
  ] as const)('is $what', ({ cycle, trigger }) => expect(triggerOf(cycle, before)).toBe(trigger));

  it('is unknown of the first cycle, unless the program asked for it', () => {
    expect(triggerOf(cycleAfter(3), null)).toBeNull();
    expect(triggerOf(cycleAfter(3, { userForced: true }), null)).toBe('forced');
  });
});
