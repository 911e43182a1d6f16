import { describe, expect, it } from 'vitest';
import type { Plan } from '../../api/index.ts';
import { closedRollout, withSay } from './rollout-say.ts';
import { policyWith } from './testing.ts';

const nothing = { obstacles: [], conflicts: [], passing: [] };
const conflicts = ['Flux keeps it.'];
const passing = [{ guardrail: 'PodDisruptionBudget', message: 'allows 0' }];
const plan = (kind: Plan['kind'], more: Partial<Plan> = {}): Plan => ({ kind, reason: 'r', ...more });

describe('what stands against a rollout', () => {
  it('closes the way, with every sentence, or leaves it open', () => {
    expect(closedRollout(nothing)).toEqual([]);
    expect(closedRollout({ ...nothing, obstacles: ['It is paused.'], conflicts })).toMatchObject([
      { of: 'Rollout', why: 'No rollout: It is paused. Flux keeps it.' },
    ]);
  });

  it.each([
    [['Rollout'], 'None', true],
    [['Rollout', 'Live'], 'Live', true],
    [['Live', 'Rollout'], 'Live', false],
    [['Live'], 'None', false],
  ] as const)('is told as a conflict where a rollout would have been: %j, plan %s: %s', (apply, kind, told) => {
    const said = withSay(plan(kind), { ...nothing, conflicts }, policyWith({ apply }));
    expect(said.conflicts).toEqual(told ? conflicts : undefined);
  });

  it('holds back a rollout alone, and not one that people will apply', () => {
    const policy = policyWith({ apply: ['Live', 'Rollout'] });
    const blockedBy = ['Cooldown: 1 s'];
    expect(withSay(plan('Rollout', { blockedBy }), { ...nothing, passing }, policy).blockedBy).toEqual([
      ...blockedBy,
      'PodDisruptionBudget: allows 0',
    ]);
    expect(withSay(plan('Live'), { ...nothing, passing }, policy).blockedBy).toBeUndefined();
    expect(withSay(plan('Rollout', { patch: 'p' }), { ...nothing, passing }, policy).blockedBy).toBeUndefined();
  });
});
