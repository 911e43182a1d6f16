import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type ActionRecord, RunbookName } from '../api/index.ts';
import { summarise } from '../model/index.ts';
import { syntheticSpec, syntheticWindows } from '../model/testing.ts';
import type { PlanInput } from './input.ts';
import { plan } from './plan.ts';
import { RUNBOOKS } from './runbooks.ts';
import type { Way } from './ways.ts';

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

describe('StartAnew', () => {
  const diagnosis = { cause: 'Leak', summary: 'It leaks.', confidence: 0.9, evidence: ['e'] };
  const ways: Way[] = [{ kind: 'Live' }, { kind: 'Restart', namespace: 'robots', pod: 'dispatch-0' }];
  const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'dispatch', uid: 'u' };
  const restart = (at: string, result: ActionRecord['result'] = 'Completed'): ActionRecord => ({
    ...{
      kind: 'Restart',
      owner,
      container: 'robot',
      knob: 'Pod',
      before: 'dispatch-0',
      after: 'made anew',
      at,
      result,
    },
  });
  const leaking = (over: Partial<PlanInput> = {}, actions: object = {}) =>
    plan(input({ apply: ['Live', 'Restart'], ...actions }, { diagnosis, ways, ...over }), now);

  it('makes a pod that leaks anew where memory is at its end and no time can be bought', () => {
    expect(leaking()).toMatchObject({ kind: 'Restart', knob: 'Pod', from: 'dispatch-0', runbook: 'StartAnew' });
    expect(leaking({ history: [restart('2026-01-01T10:59:00.000Z')] })).toMatchObject({ kind: 'Restart' });
  });

  it.each<[string, Partial<PlanInput>, object, RegExp]>([
    ['where the policy does not have it', {}, { apply: ['Live'] }, /actions.apply has no Restart/],
    ['while there is memory left', { useBytes: 80 * MIB }, {}, /not tuned away/],
    ['twice within an hour', { history: [restart('2026-01-01T11:30:00.000Z')] }, {}, /30 min ago.*would be a loop/],
    ['where it cannot be done', { ways: [{ kind: 'Live' }] }, {}, /Restart is not possible here/],
  ])('does nothing %s', (_, over, actions, reason) => {
    expect(leaking(over, actions)).toMatchObject({ kind: 'None', reason: expect.stringMatching(reason) });
  });

  it('is not held back by a try that was refused, nor taken for another cause', () => {
    expect(leaking({ history: [restart('2026-01-01T11:30:00.000Z', 'Failed')] })).toMatchObject({ kind: 'Restart' });
    const other = { ...diagnosis, cause: 'MemoryLimitTooTight' };
    expect(leaking({ diagnosis: other }).kind).not.toBe('Restart');
  });

  it('is a command for people in Recommend', () => {
    expect(leaking({}, { mode: 'Recommend' }).patch).toBe('kubectl delete pod dispatch-0 --namespace=robots\n');
  });
});
