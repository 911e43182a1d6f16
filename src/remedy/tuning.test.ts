import { describe, expect, it } from 'vitest';
import { type ActionRecord, durationMs, type PolicySpec } from '../api/index.ts';
import { EPOCH_MS, syntheticSpec, syntheticWindows, type WindowOver } from '../model/testing.ts';
import { planTuning, type TuningInput } from './tuning.ts';
import { tuningFacts } from './tuning-facts.ts';

const MIB = 2 ** 20;
const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'dispatch', uid: 'u' };
const now = new Date(EPOCH_MS + 20_000);
const ago = (text: string) => new Date(now.getTime() - durationMs(text)).toISOString();

function spec(actions: object = {}, tuning: object = {}): PolicySpec {
  return syntheticSpec({
    activity: { tcpConnections: { port: 1 } },
    tuning: { continuous: true, ...tuning },
    actions: { mode: 'Auto', apply: ['Rollout', 'Live'], ...actions },
  });
}

/** Pods that serve so many robots each, all with the same GOGC and a GOMEMLIMIT of the team's unless a test says otherwise. */
function input(robots: number[], gogc: number, over: Partial<TuningInput> = {}, window: WindowOver = {}): TuningInput {
  const { gc, ...rest } = window;
  const pods = robots.map((activeRobots) =>
    syntheticWindows(
      20,
      () => ({ activeRobots, gc: gc === null ? null : { gogc, goMemLimitBytes: 400 * MIB, ...gc }, ...rest }),
      1,
    ),
  );
  return {
    spec: spec(),
    subject: 'Deployment dispatch',
    paused: false,
    killSwitch: false,
    ways: [{ kind: 'Live' }],
    history: [],
    tuned: [],
    facts: tuningFacts(pods, now.getTime()),
    newestWindowAgeMs: 0,
    ...over,
  };
}

function action(before: string, after: string, at: string, over: Partial<ActionRecord> = {}): ActionRecord {
  const done = { kind: 'Live', owner, container: 'robot', knob: 'GOGC', result: 'Completed' } as const;
  return { ...done, before, after, at, ...over };
}

describe('without a breach', () => {
  it('GOGC follows the robots of the busiest pod, up and down', () => {
    expect(planTuning(input([4000, 10_000], 50), now)).toMatchObject({ kind: 'Live', from: '50', to: '100' });
    expect(planTuning(input([4000, 6000], 100), now)).toMatchObject({ kind: 'Live', from: '100', to: '60' });
  });

  it('one step at a time', () => {
    expect(planTuning(input([40_000], 50), now)).toMatchObject({ to: '100', clampedBy: ['maxStep'] });
  });

  it('into the bounds from beyond them, also where that takes more than one step', () => {
    expect(planTuning(input([10_000], 10), now)).toMatchObject({
      to: '20',
      clampedBy: ['maxStep'],
      reason: expect.stringContaining("The policy's 25 to 400 are not reached yet"),
    });
    expect(planTuning(input([10_000], 20), now)).toMatchObject({ from: '20', to: '40' });
    expect(planTuning(input([100_000], 1000), now)).toMatchObject({ from: '1000', to: '500' });
  });

  it('by no more than fits under the limit of the pod that has the least room', () => {
    const tight = { cgroup: { memoryLimitBytes: 140 * MIB, workingSetBytes: 100 * MIB } };
    const { to, clampedBy, underBytes } = planTuning(input([10_000], 50, {}, tight), now);
    expect({ to: Number(to), clampedBy }).toEqual({ to: 95, clampedBy: ['memory'] });
    expect(underBytes).toBe(140 * MIB);
  });

  it('from what those have that take it up, for the memory of all: pods that came after a resize keep their own until then', () => {
    const pod = (gogc: number, limitMib: number) =>
      syntheticWindows(20, () => ({ gc: { gogc }, cgroup: { memoryLimitBytes: limitMib * MIB } }), 1);
    const facts = tuningFacts([pod(100, 640)], now.getTime(), [pod(50, 512)]);
    expect(facts).toMatchObject({ pods: 2, gogcs: [100], memoryLimitBytes: 512 * MIB });
    expect(tuningFacts([pod(100, 640), pod(50, 512)], now.getTime()).gogcs).toEqual([50, 100]);
  });

  it('counts what is in use beyond the heap goal as not the heap’s', () => {
    const used = { cgroup: { memoryLimitBytes: 200 * MIB, workingSetBytes: 168 * MIB } };
    expect(tuningFacts([syntheticWindows(9, () => used)], 0).nonGoBytes).toBe(40 * MIB);
    expect(planTuning(input([20_000], 50, {}, used), now)).toMatchObject({ to: '100' });
    expect(planTuning(input([20_000], 100, {}, used), now)).toMatchObject({ to: '116', clampedBy: ['memory'] });
  });

  it('GOGC is not lowered for the sake of memory where GOMEMLIMIT holds the heap under the limit', () => {
    const tight = (goMemLimitBytes: number | null): WindowOver => ({
      ...{ cgroup: { memoryLimitBytes: 140 * MIB, workingSetBytes: 100 * MIB }, gc: { goMemLimitBytes } },
    });
    expect(planTuning(input([15_000], 150, {}, tight(null)), now)).toMatchObject({ to: '95', clampedBy: ['memory'] });
    expect(planTuning(input([15_000], 150, {}, tight(126 * MIB)), now).reason).toMatch(/GOMEMLIMIT holds the heap/);
    expect(planTuning(input([5000], 150, {}, tight(126 * MIB)), now)).toMatchObject({ from: '150', to: '75' });
  });

  it('does not take memory that goes back to the kernel slowly for memory that is not the heap’s', () => {
    const falling = syntheticWindows(20, (second) => ({
      gc: { heapGoalBytes: (second < 5 ? 400 : 100) * MIB },
      cgroup: { workingSetBytes: (420 - 5 * second) * MIB },
    }));
    expect(tuningFacts([falling], 0).nonGoBytes).toBe(20 * MIB);
  });

  it.each<[string, TuningInput, RegExp]>([
    ['for less than a tenth', input([5400], 50), /change of 8.0 %, less than 10 %/],
    ['for nothing', input([5000], 50), /GOGC 50 is what the formula asks for/],
    ['before enough was seen', { ...input([10_000], 50), facts: tuningFacts([syntheticWindows(5)], 0) }, /5 windows/],
    ['without a pod', input([], 50), /No pod/],
    ['where robots are not counted', input([10_000], 50, {}, { activeRobots: null }), /active robots is not known/],
    ['before a cycle was seen', input([10_000], 50, {}, { gc: null }), /no cycle was seen/],
    ['where GOGC is off', input([10_000], -1), /GOGC is off/],
    [
      'out of the bounds, away from them',
      input([10_000], 24, {}, { cgroup: { memoryLimitBytes: 84 * MIB, workingSetBytes: 65 * MIB } }),
      /is outside of the policy's 25 to 400/,
    ],
    [
      'where no GOGC fits',
      input([10_000], 50, {}, { cgroup: { memoryLimitBytes: 70 * MIB, workingSetBytes: 65 * MIB } }),
      /more memory is the remedy/,
    ],
  ])('nothing is changed %s', (_, given, why) => {
    const { kind, reason } = planTuning(given, now);
    expect({ kind, reason }).toEqual({ kind: 'None', reason: expect.stringMatching(why) });
  });

  it('nothing is changed while pods differ: a change is being spread', () => {
    const pods = [50, 100].map((gogc) => syntheticWindows(20, () => ({ gc: { gogc } })));
    const facts = tuningFacts(pods, now.getTime());
    expect(planTuning({ ...input([10_000], 50), facts }, now).reason).toMatch(/differs between the pods: 50, 100/);
  });

  it.each<[string, Partial<TuningInput>, string]>([
    ['the mode', { spec: spec({ mode: 'Recommend' }) }, 'Mode'],
    ['the kill switch', { killSwitch: true }, 'KillSwitch'],
    ['a pause', { paused: true }, 'Paused'],
    ['an incident', { busyWith: 'dispatch-1' }, 'OneActionInFlight'],
    ['windows that are too old', { newestWindowAgeMs: 3000 }, 'StaleSignals'],
    ['a closed maintenance window', { spec: spec({ maintenanceWindows: [{ from: '02:00', to: '03:00' }] }) }, 'Maint'],
    ['the cool-down after an incident', { history: [action('25', '50', ago('4m'))] }, 'Cooldown: the last'],
    ['its own cool-down', { tuned: [action('25', '50', ago('4m'))] }, 'Cooldown: the last'],
    [
      'that it was just set, and no window shows it yet',
      { wishes: { policy: 'p', GOGC: { from: '50', to: '100', underBytes: 512 * MIB } } },
      'DesiredAlready: GOGC 100',
    ],
    [
      'a budget that is left to breaches',
      { tuned: ['10m', '20m', '30m'].map((since) => action('25', '50', ago(since))) },
      'TuningBudget: 3 changes within 1h',
    ],
    [
      'what was taken back, and what lies beyond it',
      { history: [action('50', '90', ago('3h')), action('90', '50', ago('2h'), { kind: 'Rollback', undoes: 'Live' })] },
      'TakenBack: GOGC 90',
    ],
    [
      'a refusal of the agents',
      { tuned: [action('50', '100', ago('50m'), { result: 'Failed', message: 'no right to write' })] },
      'Refused: it failed at',
    ],
  ])('%s stands against it', (_, over, guardrail) => {
    expect(planTuning(input([10_000], 50, over), now).blockedBy?.[0]).toContain(guardrail);
  });

  it('what is desired does not stand against another value, nor the same one for another memory limit', () => {
    const desired = (to: string, mib: number) =>
      planTuning(
        input([10_000], 50, { wishes: { policy: 'p', GOGC: { from: '50', to, underBytes: mib * MIB } } }),
        now,
      );
    expect(desired('80', 512).blockedBy).toBeUndefined();
    expect(desired('100', 640).blockedBy).toBeUndefined();
  });

  it('what was taken back does not stand against a smaller change, nor the other way', () => {
    const back = [action('100', '50', ago('2h'), { kind: 'Rollback', undoes: 'Live' })];
    expect(planTuning(input([8000], 50, { history: back }), now)).toMatchObject({ to: '80' });
    expect(planTuning(input([5000], 60, { history: back }), now)).toMatchObject({ to: '50' });
    expect(planTuning(input([8000], 50, { history: back }), now).blockedBy).toBeUndefined();
  });

  describe('and without a GOMEMLIMIT', () => {
    const held = spec({}, { memoryLimit: { holdHeap: true } });
    const unlimited = (over: Partial<TuningInput> = {}, window: WindowOver = {}) =>
      planTuning(
        input([5000], 50, { spec: held, ...over }, { ...window, gc: { goMemLimitBytes: null, ...window.gc } }),
        now,
      );

    it('one is set under the memory limit, once GOGC is where the formula wants it', () => {
      const to = String(Math.floor(0.9 * 512 * MIB));
      expect(unlimited()).toMatchObject({ kind: 'Live', knob: 'GOMEMLIMIT', from: null, to, underBytes: 512 * MIB });
      expect(planTuning(input([10_000], 50, { spec: held }, { gc: { goMemLimitBytes: null } }), now).knob).toBe('GOGC');
    });

    it('none is set where the policy does not ask for it', () => {
      expect(unlimited({ spec: spec() }).kind).toBe('None');
    });

    it.each<[string, WindowOver]>([
      ['where there is no memory limit', { cgroup: null }],
      [
        'where the live heap would fill more than 60 % of it',
        { gc: { heapLiveBytes: 290 * MIB, heapGoalBytes: 440 * MIB } },
      ],
    ])('none is set %s', (_, window) => {
      expect(unlimited({}, window).kind).toBe('None');
    });

    it('one of ours follows the memory limit, and one of the team’s stays', () => {
      const under = (limit: number) =>
        action('unset', String(400 * MIB), ago('2h'), {
          ...{ knob: 'GOMEMLIMIT', before: null, underBytes: { after: limit } },
        });
      const window = { gc: { goMemLimitBytes: 400 * MIB } };
      const followed = unlimited({ tuned: [under(445 * MIB)] }, window);
      expect(followed).toMatchObject({ knob: 'GOMEMLIMIT', from: String(400 * MIB) });
      expect(unlimited({ tuned: [under(512 * MIB)] }, window).kind).toBe('None');
      expect(unlimited({}, window).kind).toBe('None');
    });

    it('one of ours goes once the policy does not ask for it any more, and no other', () => {
      const bytes = 400 * MIB;
      const set = (by: object = {}) =>
        action('unset', String(bytes), ago('2h'), {
          ...{ knob: 'GOMEMLIMIT', before: null, underBytes: { after: 512 * MIB } },
          ...by,
        });
      const window = { gc: { goMemLimitBytes: bytes } };
      const off = { spec: spec() };
      expect(unlimited({ ...off, tuned: [set()] }, window)).toMatchObject({
        ...{ kind: 'Live', knob: 'GOMEMLIMIT', from: String(bytes), to: null },
        reason: expect.stringContaining('holdHeap, which is off now'),
      });
      expect(unlimited({ tuned: [set()] }, window).kind).toBe('None');
      expect(unlimited(off, window).kind).toBe('None');
      // A remedy of an incident, and what somebody set since.
      expect(unlimited({ ...off, history: [set()] }, window).kind).toBe('None');
      expect(unlimited({ ...off, tuned: [set({ after: String(300 * MIB) })] }, window).kind).toBe('None');
      // Moved with a memory limit that came down, it is still whose it was.
      const higher = { at: ago('3h'), after: String(500 * MIB) };
      const moved = set({ before: String(500 * MIB) });
      expect(unlimited({ ...off, history: [set(higher)], tuned: [moved] }, window).kind).toBe('None');
      expect(unlimited({ ...off, tuned: [set(higher), moved] }, window)).toMatchObject({ to: null });
    });

    it('what stands against it is told as of GOGC', () => {
      const taken = [action('50', '90', ago('2h'), { kind: 'Rollback', undoes: 'Live' })];
      expect(unlimited({ history: taken }).blockedBy).toBeUndefined();
      expect(unlimited({ busyWith: 'dispatch-1' }).blockedBy?.[0]).toContain('OneActionInFlight');
    });
  });
});
