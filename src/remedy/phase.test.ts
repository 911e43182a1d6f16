import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isFinal, PHASES, type Phase } from '../api/index.ts';
import { IllegalTransitionError, type IncidentEvent, nextPhase, successors, transition } from './phase.ts';

const EVENTS: readonly IncidentEvent[] = [
  'captured',
  'captureLost',
  'diagnosed',
  'unexplained',
  'act',
  'recommend',
  'noRemedy',
  'applied',
  'rollBack',
  'rolledBack',
  'failed',
  'better',
  'stepFurther',
  'giveUp',
];
const tryTransition = (phase: Phase, event: IncidentEvent): Phase | undefined => {
  try {
    return transition(phase, event);
  } catch (error) {
    expect(error).toBeInstanceOf(IllegalTransitionError);
    return undefined;
  }
};

describe("an incident's phases", () => {
  it.each<[readonly IncidentEvent[], Phase]>([
    [['captured', 'diagnosed', 'act', 'applied', 'better'], 'Resolved'],
    [['captured', 'diagnosed', 'act', 'applied', 'rollBack', 'rolledBack'], 'RolledBack'],
    [['captured', 'diagnosed', 'act', 'applied', 'stepFurther', 'applied', 'better'], 'Resolved'],
    [['captured', 'diagnosed', 'act', 'failed'], 'Escalated'],
    [['captured', 'diagnosed', 'recommend'], 'Observed'],
    [['captureLost'], 'Escalated'],
  ])('%j ends in %s', (events, end) => {
    expect(events.reduce<Phase>(transition, 'Detected')).toBe(end);
  });

  it('do not compile where the table has no entry, and are refused at run time with what is possible', () => {
    // @ts-expect-error an incident is not resolved before anything was done
    expect(nextPhase('Detected', 'better')).toBeUndefined();
    expect(() => transition('Detected', 'better')).toThrow('possible are captured, captureLost');
    expect(() => transition('Resolved', 'rollBack')).toThrow('the phase is final');
  });

  it('that are final lead nowhere, but what was only recommended may be approved; every other one leads somewhere', () => {
    expect(successors('Observed')).toEqual(['Acting']);
    for (const phase of PHASES.filter((each) => each !== 'Observed')) {
      expect(successors(phase).length === 0).toBe(isFinal(phase));
    }
  });

  it('can all be reached, and from each an end', () => {
    const reach = (from: Phase): Set<Phase> => {
      const seen = new Set<Phase>([from]);
      for (const phase of seen) for (const next of successors(phase)) seen.add(next);
      return seen;
    };
    expect([...reach('Detected')].sort()).toEqual([...PHASES].sort());
    for (const phase of PHASES) expect([...reach(phase)].some(isFinal)).toBe(true);
  });

  it('resolve only through verification, whatever the events', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...EVENTS), { maxLength: 40 }), (events) => {
        let phase: Phase = 'Detected';
        for (const event of events) {
          const next = tryTransition(phase, event);
          if (next === undefined) continue;
          if (next === 'Resolved') expect(phase).toBe('Verifying');
          if (next === 'Verifying') expect(phase).toBe('Acting');
          expect(isFinal(phase)).toBe(false);
          phase = next;
        }
      }),
    );
  });
});
