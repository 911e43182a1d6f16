import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { RunbookName } from '../api/index.ts';
import { summarise } from '../model/index.ts';
import { syntheticSpec, syntheticWindows } from '../model/testing.ts';
import type { PlanInput } from './input.ts';
import { plan } from './plan.ts';
import { RUNBOOKS } from './runbooks.ts';

const MIB = 2 ** 20;
const now = new Date('2026-01-01T12:00:00Z');

/** 60 MiB live with GOGC 200 under 128 MiB, nothing holds the heap back, and the limit may be raised. */
function input(actions: object = {}, over: Partial<PlanInput> = {}, tuning: object = {}): PlanInput {
  return {
    spec: syntheticSpec({
      actions: { mode: 'Auto', apply: ['Live'], ...actions },
      tuning: { memoryLimit: { max: '512Mi' }, ...tuning },
    }),
    signal: 'memoryPressureSome',
    diagnosis: { cause: 'MemoryLimitTooTight', summary: 'It is too tight.', confidence: 0.9, evidence: ['e'] },
    summary: summarise(syntheticWindows(20, () => ({ gc: { gogc: 200, heapLiveBytes: 60 * MIB } }))),
    subject: 'Deployment dispatch',
    ways: [{ kind: 'Live' }],
    memoryLimitBytes: 128 * MIB,
    useBytes: 120 * MIB,
    goMemLimitBytes: null,
    activeRobots: null,
    history: [],
    paused: false,
    killSwitch: false,
    newestWindowAgeMs: 500,
    ...over,
  };
}

describe('a policy’s runbooks', () => {
  it('are all of them in their own order where it names none, and the plan says which was chosen and why no other', () => {
    expect(plan(input(), now)).toMatchObject({
      runbook: 'HoldHeapBack',
      knob: 'GOMEMLIMIT',
      passedOver: [
        { runbook: 'RaiseGoMemLimit', reason: 'No GOMEMLIMIT is in effect.' },
        { runbook: 'RaiseMemoryLimit', reason: 'Live does not change the memory limit.' },
        { runbook: 'LowerGogc', reason: 'HoldHeapBack comes first.' },
      ],
    });
  });

  it('are tried in the order of the policy, and no others', () => {
    expect(plan(input({ runbooks: ['LowerGogc', 'HoldHeapBack'] }), now)).toMatchObject({
      runbook: 'LowerGogc',
      passedOver: [
        { runbook: 'HoldHeapBack', reason: 'LowerGogc comes first.' },
        { runbook: 'RaiseGoMemLimit', reason: 'It is not in actions.runbooks.' },
        { runbook: 'RaiseMemoryLimit', reason: 'It is not in actions.runbooks.' },
      ],
    });
  });

  it('leave a cause to people where none of the policy’s is made for it', () => {
    const left = plan(input({ runbooks: ['RaiseGogc'] }), now);
    expect(left).toMatchObject({ kind: 'None', passedOver: [{}, {}, {}, {}] });
    expect(left.reason).toBe(
      'MemoryLimitTooTight: actions.runbooks has none of RaiseGoMemLimit, RaiseMemoryLimit, HoldHeapBack, LowerGogc.',
    );
  });

  it('are in the documentation, each with what it answers', () => {
    const page = readFileSync(new URL('../../docs/remedies.md', import.meta.url), 'utf8');
    for (const name of RunbookName.options) {
      for (const cause of RUNBOOKS[name].against)
        expect(page).toMatch(new RegExp(`^\\| \`${name}\` \\| .*\`${cause}\``, 'm'));
    }
  });
});

describe('LowerGogc', () => {
  const lower = (over: Partial<PlanInput> = {}, tuning: object = {}) =>
    plan(input({ runbooks: ['LowerGogc'] }, over, tuning), now);

  it('sets GOGC to what fits under the memory limit, for that limit and no smaller one', () => {
    expect(lower({ rootsBytes: 0 })).toMatchObject({
      ...{ kind: 'Live', knob: 'GOGC', from: '200', to: '92', clampedBy: ['memory'] },
      underBytes: 128 * MIB,
    });
  });

  it.each<[string, Partial<PlanInput>, object, RegExp]>([
    ['the collector’s cost is the breach', { signal: 'gcCpuShare' }, {}, /A smaller heap does not lower gcCpuShare/],
    ['GOMEMLIMIT holds the heap back', { goMemLimitBytes: 120 * MIB }, {}, /120 MiB holds the heap back already/],
    ['GOMEMLIMIT is not known', { goMemLimitBytes: undefined }, {}, /not known yet/],
    ['there is no limit', { memoryLimitBytes: null }, {}, /no memory limit/],
    ['GOGC fits', { memoryLimitBytes: 512 * MIB }, {}, /GOGC 200 fits: .* at most 668/],
    ['what fits is below the minimum', {}, { gogc: { min: 100 } }, /the policy's minimum is 100/],
    ['no way is left', { ways: [] }, {}, /Live is not possible here/],
  ])('does nothing where %s', (_, over, tuning, reason) => {
    expect(lower(over, tuning)).toMatchObject({ kind: 'None', reason: expect.stringMatching(reason) });
  });

  it('does nothing where GOGC is off', () => {
    const { summary } = input();
    expect(lower({ summary: { ...summary, gogc: -1 } }).reason).toMatch(/off, or not known/);
  });
});
