import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type ActionRecord, type Setting, SIGNALS } from '../api/index.ts';
import { diagnose } from '../diagnosis/index.ts';
import { deriveThresholds, GC_COST_SIGNALS, summarise } from '../model/index.ts';
import { syntheticSpec, syntheticWindows } from '../model/testing.ts';
import type { PlanInput } from './input.ts';
import { plan } from './plan.ts';
import type { RolloutWay, Way } from './ways.ts';

const now = new Date('2026-01-01T12:00:00Z');
const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'dispatch', uid: 'u' };
const auto = (actions: Record<string, unknown> = {}, gogc: Record<string, unknown> = { maxStep: '900%' }) =>
  syntheticSpec({ actions: { mode: 'Auto', ...actions }, tuning: { gogc } });

const unset = { setting: null, fromRef: false };

/** @param setting of GOGC in the template */
const rollout = ({
  setting = '10',
  settingFromRef: fromRef = false,
  ...over
}: Partial<RolloutWay> & { setting?: Setting; settingFromRef?: boolean } = {}): Way[] => [
  {
    kind: 'Rollout',
    owner,
    namespace: 'robots',
    container: 'robot',
    settings: { GOGC: { setting, fromRef }, GOMEMLIMIT: unset, MemoryLimit: { setting: '1Gi', fromRef: false } },
    requestFollows: false,
    inProgress: false,
    ...over,
  },
  { kind: 'Missing', of: 'Live', why: 'Live is elsewhere.' },
];

const ready: PlanInput = {
  spec: auto(),
  signal: 'gcCpuShare',
  diagnosis: { cause: 'GogcTooLow', summary: 's', confidence: 0.9, evidence: ['e'], remedy: 'Raise GOGC.' },
  summary: summarise(syntheticWindows(20, () => ({ gc: { gogc: 10 } }))),
  subject: 'Deployment dispatch',
  ways: rollout(),
  memoryLimitBytes: 2 ** 30,
  activeRobots: 10_000,
  history: [],
  paused: false,
  killSwitch: false,
  newestWindowAgeMs: 500,
};

function past(secondsAgo: number, over: Partial<ActionRecord> = {}): ActionRecord {
  const at = new Date(now.getTime() - secondsAgo * 1000).toISOString();
  return {
    kind: 'Rollout',
    owner,
    container: 'robot',
    knob: 'GOGC',
    before: '10',
    after: '20',
    at,
    result: 'Completed',
    ...over,
  };
}

const back = { kind: 'Rollback', before: '20', after: '10' } as const;

describe('plan', () => {
  it('is the formula, with the value before', () => {
    expect(plan(ready, now)).toEqual({
      kind: 'Rollout',
      knob: 'GOGC',
      from: '10',
      to: '100',
      reason: 'GOGC 100 by the formula for 10000 active robots.',
      runbook: 'RaiseGogc',
      clampedBy: [],
    });
  });

  it('keeps to the step limit and says so', () => {
    expect(plan({ ...ready, spec: auto({}, {}) }, now)).toMatchObject({ to: '20', clampedBy: ['maxStep'] });
  });

  it('records an unset variable as null', () => {
    const summary = { ...ready.summary, gogc: 100 };
    expect(plan({ ...ready, ways: rollout({ setting: null }), summary, activeRobots: 20_000 }, now)).toMatchObject({
      from: null,
      to: '200',
    });
  });

  it.each<[string, Partial<PlanInput>, string]>([
    ['another cause', { diagnosis: { ...ready.diagnosis, cause: 'NotGc', remedy: undefined } }, 'NotGc: nothing'],
    ['too little confidence', { diagnosis: { ...ready.diagnosis, confidence: 0.39 } }, 'confidence 0.39, needed 0.4'],
    ['a trigger that GOGC does not lower', { signal: 'memoryPressureSome' }, 'does not lower memoryPressureSome'],
    ['a policy without Rollout', { spec: auto({ apply: ['Live'] }) }, 'Live is elsewhere.'],
    ['a value from elsewhere', { ways: rollout({ settingFromRef: true }) }, 'comes from a reference'],
    [
      'a program that sets GOGC itself',
      { ways: rollout({ setting: '40' }) },
      'in effect is 10, the environment says 40',
    ],
    [
      'a change of less than 10 %',
      { ways: rollout({ setting: '92' }), summary: { ...ready.summary, gogc: 92 } },
      '8.7 %, less than 10 %',
    ],
    [
      'no room upwards',
      { ways: rollout({ setting: '100' }), summary: { ...ready.summary, gogc: 100 } },
      'cannot be raised',
    ],
    [
      'no GOGC that fits, though any would be an increase',
      { memoryLimitBytes: 2 ** 26, ways: rollout({ setting: '0' }), summary: { ...ready.summary, gogc: 0 } },
      'No GOGC fits',
    ],
    ['no GOGC that fits', { memoryLimitBytes: 2 ** 26 }, 'No GOGC fits under the memory limit'],
  ])('is none with %s', (_, over, reason) => {
    const none = plan({ ...ready, ...over }, now);
    expect(none).toMatchObject({ kind: 'None', reason: expect.stringContaining(reason) });
    expect(none.blockedBy).toBeUndefined();
  });
});

describe('ways to act', () => {
  const both: Way[] = [{ kind: 'Live' }, ...rollout().slice(0, 1)];

  it('are tried in the order of the policy', () => {
    const planned = (apply: string[]) => plan({ ...ready, spec: auto({ apply }), ways: both }, now);
    expect(planned(['Live', 'Rollout'])).toMatchObject({ kind: 'Live', from: '10', to: '100' });
    expect(planned(['Rollout', 'Live'])).toMatchObject({ kind: 'Rollout', from: '10', to: '100' });
    // A new pod has the limit of its template; one that runs may be given another.
    expect(planned(['Live'])).toMatchObject({ kind: 'Live', underBytes: 2 ** 30 });
    expect(planned(['Rollout'])).not.toHaveProperty('underBytes');
  });

  it('give way to the next where something stands against one', () => {
    const fromRef = rollout({ settingFromRef: true }).slice(0, 1);
    const spec = auto({ apply: ['Rollout', 'Live'] });
    expect(plan({ ...ready, spec, ways: [{ kind: 'Live' }, ...fromRef] }, now)).toMatchObject({ kind: 'Live' });
    expect(plan({ ...ready, spec, ways: fromRef }, now)).toMatchObject({
      kind: 'None',
      reason: expect.stringMatching(/comes from a reference.* Live is not possible here/),
    });
  });

  it('change a running process from the value that is in effect, whatever its environment says', () => {
    const summary = { ...ready.summary, gogc: 40 };
    const live = { ...ready, spec: auto({ apply: ['Live'] }), ways: both };
    expect(plan({ ...live, summary }, now)).toMatchObject({ kind: 'Live', from: '40', to: '100' });
    expect(plan({ ...live, summary: { ...summary, gogc: null } }, now)).toMatchObject({
      kind: 'None',
      reason: expect.stringContaining('not known yet'),
    });
  });

  it('leave a process to people with what to start it with', () => {
    const spec = syntheticSpec({ actions: { apply: ['Live'] }, tuning: { gogc: { maxStep: '900%' } } });
    expect(plan({ ...ready, spec, ways: both }, now)).toMatchObject({ kind: 'Live', patch: 'GOGC=100' });
  });
});

describe('whatever signal opened the incident', () => {
  it.each(SIGNALS)('%s: a higher GOGC is planned only where it lowers that', (signal) => {
    const { kind, reason } = plan({ ...ready, signal }, now);
    expect(kind).toBe(GC_COST_SIGNALS.has(signal) ? 'Rollout' : 'None');
    if (kind === 'None')
      expect(reason).toContain(`does not lower ${signal}, and nothing else that robotgc may change does`);
  });

  it.each(SIGNALS)('%s: nothing is planned where no cause is known', (signal) => {
    const windows = syntheticWindows(20);
    const spec = auto();
    const [diagnosis] = diagnose({ windows, spec, thresholds: deriveThresholds(spec), trigger: signal });
    expect(plan({ ...ready, signal, diagnosis: diagnosis ?? ready.diagnosis }, now)).toMatchObject({
      kind: 'None',
      reason: expect.stringContaining('nothing that robotgc may change helps'),
    });
  });
});

describe('guardrails', () => {
  it.each<[string, Partial<PlanInput>, string]>([
    ['stale signals', { newestWindowAgeMs: 2001 }, 'StaleSignals: the newest window is 2001 ms old, more than 2000 ms'],
    ['no signals', { newestWindowAgeMs: null }, 'StaleSignals: no signal window has arrived'],
    [
      'a pending action',
      { history: [past(4000, { result: 'Pending' })] },
      'OneActionInFlight: the action of 2026-01-01T10:53:20.000Z is still Pending',
    ],
    [
      'another incident',
      { busyWith: 'dispatch-x' },
      'OneActionInFlight: incident dispatch-x is acting on this workload',
    ],
    ['a rollout', { ways: rollout({ inProgress: true }) }, 'RolloutInProgress: Deployment dispatch is rolling out'],
    ['the cool-down', { history: [past(299)] }, 'Cooldown: the last action was 299 s ago, the cool-down is 300 s'],
    [
      'a cool-down doubled by each rollback',
      { history: [past(1100, back), past(1200), past(2400, back), past(2500)] },
      'Cooldown: the last action was 1100 s ago, the cool-down is 1200 s after 2 rollbacks',
    ],
    [
      'a cool-down that a way which was refused, and withdrawn, does not double',
      { history: [past(100, back), past(110, { result: 'Failed' })] },
      'Cooldown: the last action was 100 s ago, the cool-down is 300 s',
    ],
    [
      'a cool-down doubled though the rollbacks undid several steps each',
      {
        history: [
          past(600, { kind: 'Rollback', before: '40', after: '10' }),
          past(700, { before: '20', after: '40' }),
          past(800),
          past(2400, { kind: 'Rollback', before: '40', after: '10' }),
          past(2500, { before: '20', after: '40' }),
          past(2600),
        ],
      },
      'Cooldown: the last action was 600 s ago, the cool-down is 1200 s after 2 rollbacks',
    ],
    [
      'a cool-down doubled once by an incident whose knobs went back one after the other',
      {
        history: [
          past(500, { kind: 'Rollback', knob: 'MemoryLimit', before: '160Mi', after: '128Mi' }),
          past(510, { kind: 'Rollback', before: '40', after: '10' }),
          past(700, { before: '10', after: '40' }),
          past(800, { knob: 'MemoryLimit', before: '128Mi', after: '160Mi' }),
        ],
      },
      'Cooldown: the last action was 500 s ago, the cool-down is 600 s after 1 rollbacks',
    ],
    [
      'a storm in the fleet',
      {
        breaker: {
          type: 'open',
          because: 'rolledBack',
          workloads: 3,
          limit: 3,
          windowMs: 600_000,
          atMs: now.getTime() - 1000,
          untilMs: now.getTime() + 599_000,
        },
      },
      'CircuitBreaker: 3 workloads were rolled back within 600 s, the limit is 3; nothing is changed anywhere until 2026-01-01T12:09:59.000Z',
    ],
    [
      'the maintenance window, naming the next one',
      {
        spec: auto({
          maintenanceWindows: [{ days: ['Fri'], from: '02:00', to: '05:00', timeZone: 'Europe/Berlin' }],
        }),
      },
      'MaintenanceWindow: no maintenance window is open, the next one opens at 2026-01-02T01:00:00.000Z',
    ],
    [
      'the budget',
      { history: [400, 900, 1400, 1900, 2400, 2900].map((s) => past(s)) },
      'Budget: 6 actions within 1h, the budget is 6',
    ],
  ])('hold back for %s', (_, over, sentence) => {
    const held = plan({ ...ready, ...over }, now);
    expect(held).toMatchObject({ kind: 'Rollout', to: '100', blockedBy: [sentence] });
    expect(held.patch).toBeUndefined();
  });

  it.each<[string, Partial<PlanInput>, string]>([
    [
      'in mode Recommend',
      { spec: syntheticSpec({ tuning: { gogc: { maxStep: '900%' } } }) },
      "Mode: the policy's mode is Recommend, not Auto",
    ],
    ['in mode Observe', { spec: auto({ mode: 'Observe' }) }, "Mode: the policy's mode is Observe, not Auto"],
    ['under the kill switch', { killSwitch: true }, 'KillSwitch: the operator runs with its kill switch on'],
    ['on a paused workload', { paused: true }, 'Paused: Deployment dispatch is annotated as paused'],
  ])('leave it to people %s, with a manifest to apply', (_, over, sentence) => {
    const shown = plan({ ...ready, ...over }, now);
    expect(shown.blockedBy).toEqual([sentence]);
    expect(parse(shown.patch ?? '')).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'dispatch', namespace: 'robots' },
      spec: { template: { spec: { containers: [{ name: 'robot', env: [{ name: 'GOGC', value: '100' }] }] } } },
    });
    expect(shown.patch).toContain('kubectl apply --server-side');
  });

  it('know that during a rollout the pod under watch may rightly run with the older value', () => {
    const held = plan({ ...ready, ways: rollout({ setting: '40', inProgress: true }) }, now);
    expect(held).toMatchObject({ kind: 'Rollout', blockedBy: [expect.stringContaining('RolloutInProgress')] });
  });

  it('count changes against the budget, not rollbacks', () => {
    const kinds = ['Rollback', 'Rollout', 'Rollback', 'Rollout', 'Rollback', 'Rollout'] as const;
    const history = kinds.map((kind, index) => past(3500 - index, { kind }));
    const { blockedBy } = plan({ ...ready, history: history.reverse() }, now);
    expect(blockedBy?.join() ?? '').not.toContain('Budget');
  });

  it('count what was changed for the same incident against the budget, but not against the cool-down', () => {
    const soFar = [past(30), past(60)];
    expect(plan({ ...ready, soFar }, now).blockedBy).toBeUndefined();
    const spec = auto({ budget: { actions: 2, per: '1h' } });
    expect(plan({ ...ready, spec, soFar }, now).blockedBy).toEqual(['Budget: 2 actions within 1h, the budget is 2']);
  });

  it('pass once a state has passed', () => {
    expect(plan({ ...ready, history: [past(300)] }, now).blockedBy).toBeUndefined();
    expect(plan({ ...ready, newestWindowAgeMs: 9000, windowPeriodMs: 5000 }, now).blockedBy).toBeUndefined();
    // A change that was kept ends the doubling.
    const kept = [past(301), past(2400), past(4000, back), past(4100)];
    expect(plan({ ...ready, history: kept }, now).blockedBy).toBeUndefined();
  });

  it('let nothing through that one of them forbids, whatever else is true', () => {
    const inputs = fc.record({
      newestWindowAgeMs: fc.option(fc.integer({ min: 0, max: 10_000 })),
      rolloutInProgress: fc.boolean(),
      paused: fc.boolean(),
      killSwitch: fc.boolean(),
      busyWith: fc.option(fc.constant('other'), { nil: undefined }),
      mode: fc.constantFrom('Observe', 'Recommend', 'Auto'),
      ages: fc.array(fc.integer({ min: 0, max: 7200 }), { maxLength: 8 }),
    });
    fc.assert(
      fc.property(inputs, ({ mode, ages, rolloutInProgress, ...over }) => {
        const done = plan(
          {
            ...ready,
            ...over,
            ways: rollout({ inProgress: rolloutInProgress }),
            spec: auto({ mode }),
            history: ages.map((age) => past(age)),
          },
          now,
        );
        const allowed =
          mode === 'Auto' &&
          !over.paused &&
          !over.killSwitch &&
          !rolloutInProgress &&
          over.busyWith === undefined &&
          over.newestWindowAgeMs !== null &&
          over.newestWindowAgeMs <= 2000 &&
          ages.every((age) => age >= 300) &&
          ages.filter((age) => age < 3600).length < 6;
        expect(done.blockedBy === undefined).toBe(allowed);
      }),
    );
  });
});
