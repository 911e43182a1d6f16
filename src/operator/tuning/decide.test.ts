import { describe, expect, it } from 'vitest';
import type { ActionRecord, ContainerState, Desired, LiveState, RobotGCPolicy, TuningState } from '../../api/index.ts';
import { tuningFacts } from '../../remedy/index.ts';
import { foundWorkload, iso, policyWith, T0, windowAt } from '../incidents/testing.ts';
import { NO_RESIZE } from '../resize/observe.ts';
import { podOf } from '../workloads/testing.ts';
import { decide } from './decide.ts';
import type { TuningStep, TuningView } from './view.ts';

const NOW = T0 + 60_000;

function policy(actions: object = {}, tuning: object = {}, live: LiveState[] = []): RobotGCPolicy {
  const made = policyWith({ apply: ['Live'], ...actions }, { continuous: true, ...tuning });
  made.status.containers = live.map(
    (state, i): ContainerState => ({
      pod: `robot-${i}`,
      container: 'robot',
      node: 'n',
      state: 'Watching',
      live: state,
    }),
  );
  return made;
}

/** One pod that serves 10 000 robots with GOGC 50. */
function view(
  over: Partial<TuningView> = {},
  { gogc = 50, desired = {} as Desired, robots = 10_000 } = {},
): TuningView {
  const windows = Array.from({ length: 15 }, (_, second) => ({
    ...windowAt(NOW - T0 - (14 - second) * 1000, 0.02, gogc),
    activeRobots: robots,
  }));
  return {
    policy: policy(),
    workload: { ...foundWorkload, desired, pods: [podOf('robot-0')] },
    known: undefined,
    facts: tuningFacts([windows], NOW),
    resize: NO_RESIZE,
    calm: { sinceMs: NOW, peakLiveBytes: undefined, peakUseBytes: undefined },
    history: [],
    tuned: [],
    busyWith: undefined,
    watchedSinceMs: 0,
    observeOnly: false,
    breaker: { type: 'closed' },
    ...over,
  };
}

const action: ActionRecord = {
  kind: 'Live',
  owner: foundWorkload.owner,
  container: 'robot',
  knob: 'GOGC',
  before: '50',
  after: '100',
  at: iso(55_000),
  result: 'Pending',
};
const plan = { kind: 'Live', knob: 'GOGC', from: '50', to: '100', reason: 'By the formula.' } as const;
const known = (...actions: ActionRecord[]): TuningState => ({
  owner: foundWorkload.owner,
  container: 'robot',
  plan,
  at: iso(55_000),
  actions,
});
const wished: Desired = { robot: { policy: 'policy-uid', GOGC: { from: '50', to: '100' } } };

const actionsOf = (step: TuningStep) =>
  step.type === 'write'
    ? step.state.actions?.map(({ kind, before, after, result }) => [kind, before, after, result])
    : step;

describe('continuous tuning', () => {
  it('writes a change down before anything is touched, with the value before and the robots', () => {
    const step = decide(view(), NOW);
    expect(actionsOf(step)).toEqual([['Live', '50', '100', 'Pending']]);
    expect(step).toMatchObject({ state: { activeRobots: 10_000, plan: { reason: expect.stringContaining('10000') } } });
  });

  it('carries it out, and once more where it was killed before it could say so', () => {
    expect(decide(view({ known: known(action) }), NOW).type).toBe('apply');
    expect(decide(view({ known: known(action) }, { desired: wished }), NOW).type).toBe('apply');
  });

  it.each<[string, Partial<TuningView>, RegExp]>([
    ['an incident was opened', { busyWith: 'dispatch-1' }, /incident dispatch-1 is not over/],
    ['the mode was changed', { policy: policy({ mode: 'Observe' }) }, /mode is Observe/],
    ['the kill switch was turned', { observeOnly: true }, /KillSwitch/],
  ])('leaves it where %s meanwhile, as if nothing had been', (_, over, why) => {
    const step = decide(view({ ...over, known: known(action) }), NOW);
    expect(step).toMatchObject({ type: 'write', state: { plan: { blockedBy: [expect.stringMatching(why)] } } });
    expect(actionsOf(step)).toBeUndefined();
  });

  it('is done with it once every pod has it', () => {
    const inEffect = policy({}, {}, [{ state: 'Applied', gogc: 100, at: iso(58_000) }]);
    const applied = known({ ...action, result: 'Applied' });
    expect(decide(view({ known: applied }, { desired: wished }), NOW).type).toBe('wait');
    const step = decide(view({ known: applied, policy: inEffect }, { desired: wished }), NOW);
    expect(actionsOf(step)).toEqual([['Live', '50', '100', 'Completed']]);
    expect(step).toMatchObject({
      story: { reason: 'Tuned', note: expect.stringContaining('GOGC 50 → 100 on Deployment') },
    });
  });

  it('is done with a change back to what the program had of itself', () => {
    const back = known({ ...action, before: '100', after: '50', result: 'Applied' });
    const inEffect = policy({}, {}, [{ state: 'Applied', gogc: 50, at: iso(58_000) }]);
    const desired: Desired = { robot: { policy: 'policy-uid', GOGC: { from: '50', to: '50' } } };
    expect(actionsOf(decide(view({ known: back, policy: inEffect }, { desired }), NOW))).toEqual([
      ['Live', '100', '50', 'Completed'],
    ]);
  });

  it('takes it back where an agent refuses it, and says why', () => {
    const refusing = policy({}, {}, [{ state: 'Refused', reason: 'Off', message: 'live is off', at: iso(58_000) }]);
    const step = decide(
      view({ known: known({ ...action, result: 'Applied' }), policy: refusing }, { desired: wished }),
      NOW,
    );
    expect(actionsOf(step)).toEqual([
      ['Live', '50', '100', 'Failed'],
      ['Rollback', '100', '50', 'Pending'],
    ]);
    expect(step).toMatchObject({ story: { type: 'Warning', note: expect.stringContaining('live is off') } });
    const tuned = step.type === 'write' ? (step.state.actions ?? []) : [];
    expect(decide(view({ known: known(...tuned), policy: refusing }, { desired: wished }), NOW).type).toBe('apply');
  });

  it('says once what stands against it, not with every number', () => {
    const busy = (robots: number) => view({ busyWith: 'dispatch-1', policy: policy({ cooldown: '5m' }) }, { robots });
    const first = decide(busy(10_000), NOW);
    expect(first).toMatchObject({ story: { reason: 'TuningBlocked', note: expect.stringContaining('dispatch-1') } });
    const said = first.type === 'write' ? first.state : undefined;
    expect(decide({ ...busy(10_300), known: said }, NOW + 5000).type).toBe('wait');
    expect(decide({ ...busy(8000), known: said }, NOW + 5000).type).toBe('write');
  });

  it('recommends where that is the mode', () => {
    const step = decide(view({ policy: policy({ mode: 'Recommend' }) }), NOW);
    expect(step).toMatchObject({
      state: { plan: { to: '100', patch: 'GOGC=100', blockedBy: [expect.stringContaining('Mode')] } },
      story: { reason: 'TuningRecommended' },
    });
    expect(actionsOf(step)).toBeUndefined();
  });

  it('leaves alone what is set in the name of another policy', () => {
    const desired: Desired = { robot: { policy: 'another', GOGC: { from: '50', to: '60' } } };
    expect(decide(view({}, { desired }), NOW)).toMatchObject({
      state: { plan: { blockedBy: [expect.stringContaining('OtherPolicy')] } },
    });
  });

  it('forgets what no guardrail can ask for any more', () => {
    const old = (minutes: number): ActionRecord => ({ ...action, result: 'Completed', at: iso(-minutes * 60_000) });
    const long = Array.from({ length: 30 }, (_, i) => old(500 - i));
    const step = decide(view({ known: known(...long) }), NOW);
    expect(actionsOf(step)).toHaveLength(11);
  });

  it('begins nothing once it is switched off, and ends what was begun', () => {
    const off = policy({}, { continuous: false });
    expect(decide(view({ policy: off }), NOW)).toEqual({ type: 'wait' });
    const step = decide(view({ policy: off, known: known(action) }), NOW);
    expect(step).toMatchObject({ state: { plan: { blockedBy: [expect.stringContaining('switched off')] } } });
    expect(actionsOf(step)).toBeUndefined();
    expect(
      decide(view({ policy: off, known: known({ ...action, result: 'Applied' }) }, { desired: wished }), NOW),
    ).toEqual({
      type: 'wait',
    });
  });

  it('does not forget the budget that was used when it is switched off and on again', () => {
    const off = policy({}, { continuous: false });
    const done = ['30', '20', '10'].map(
      (ago) => ({ ...action, result: 'Completed', at: iso(-Number(ago) * 60_000) }) as const,
    );
    const step = decide(view({ policy: off, known: known(...done) }), NOW);
    expect(step).toMatchObject({ state: { plan: { kind: 'None', reason: expect.stringContaining('switched off') } } });
    const kept = step.type === 'write' ? step.state : undefined;
    expect(kept?.actions).toEqual(done);
    expect(decide(view({ policy: off, known: kept }), NOW)).toEqual({ type: 'wait' });
    const on = decide(view({ known: kept, tuned: kept?.actions ?? [] }), NOW);
    expect(on).toMatchObject({ state: { plan: { blockedBy: [expect.stringContaining('TuningBudget: 3 changes')] } } });
  });
});
