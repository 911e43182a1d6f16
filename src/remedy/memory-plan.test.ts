import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ActionRecord, type Diagnosis, type Plan, quantityBytes, ratio } from '../api/index.ts';
import { summarise, withHeadRoom } from '../model/index.ts';
import { syntheticSpec, syntheticWindows } from '../model/testing.ts';
import type { PlanInput } from './input.ts';
import { plan } from './plan.ts';
import type { ResizeWay } from './resize.ts';
import type { RolloutWay, Way } from './ways.ts';

const MIB = 2 ** 20;
const now = new Date('2026-01-01T12:00:00Z');
const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'dispatch', uid: 'u' };
const spec = (actions: object = {}, memoryLimit: object = {}) =>
  syntheticSpec({
    actions: { mode: 'Auto', apply: ['Live', 'Resize', 'Rollout'], ...actions },
    tuning: { gogc: { maxStep: '900%' }, memoryLimit: { min: '64Mi', max: '512Mi', ...memoryLimit } },
  });

const resize = (over: Partial<ResizeWay['containers'][number]> = {}, more: Partial<ResizeWay> = {}): ResizeWay => ({
  kind: 'Resize',
  namespace: 'robots',
  container: 'robot',
  limit: '128Mi',
  containers: [
    {
      pod: 'dispatch-a',
      node: 'n1',
      limitBytes: 128 * MIB,
      requestBytes: 64 * MIB,
      useBytes: 120 * MIB,
      restarts: false,
      guaranteedOtherwise: false,
      podLevel: false,
      ...over,
    },
  ],
  rooms: [],
  caps: [],
  mayRestart: false,
  ...more,
});
const rollout: RolloutWay = {
  kind: 'Rollout',
  owner,
  namespace: 'robots',
  container: 'robot',
  settings: {
    GOGC: { setting: null, fromRef: false },
    GOMEMLIMIT: { setting: null, fromRef: false },
    MemoryLimit: { setting: '128Mi', fromRef: false },
  },
  requestFollows: true,
  inProgress: false,
};
const all: Way[] = [{ kind: 'Live' }, resize(), rollout];

function cause(name: string, over: Partial<Diagnosis> = {}): Diagnosis {
  return { cause: name, summary: `${name} it is.`, confidence: 0.9, evidence: ['e'], remedy: 'r', ...over };
}

const tight: PlanInput = {
  spec: spec(),
  signal: 'memoryPressureSome',
  diagnosis: cause('MemoryLimitTooTight'),
  summary: summarise(syntheticWindows(20, () => ({ gc: { gogc: 100, heapLiveBytes: 60 * MIB } }))),
  subject: 'Deployment dispatch',
  ways: all,
  memoryLimitBytes: 128 * MIB,
  useBytes: 120 * MIB,
  goMemLimitBytes: null,
  activeRobots: 10_000,
  history: [],
  paused: false,
  killSwitch: false,
  newestWindowAgeMs: 500,
};

const resized: ActionRecord = {
  kind: 'Resize',
  owner,
  container: 'robot',
  knob: 'MemoryLimit',
  before: '128Mi',
  after: '160Mi',
  makesRoomFor: 'GOGC',
  at: '2026-01-01T11:59:30.000Z',
  result: 'Completed',
};

describe('a memory limit that is too tight', () => {
  it('is raised by one step in place, with what the arithmetic asks for', () => {
    expect(plan(tight, now)).toEqual({
      kind: 'Resize',
      knob: 'MemoryLimit',
      from: '128Mi',
      to: '160Mi',
      reason: 'The memory limit goes from 128 MiB to 160 MiB, 133.3 MiB are needed.',
      runbook: 'RaiseMemoryLimit',
      passedOver: [
        { runbook: 'RaiseGoMemLimit', reason: 'No GOMEMLIMIT is in effect.' },
        { runbook: 'HoldHeapBack', reason: 'RaiseMemoryLimit comes first.' },
        { runbook: 'LowerGogc', reason: 'RaiseMemoryLimit comes first.' },
      ],
      clampedBy: [],
    });
  });

  it('is raised for the pods to come where the running ones cannot be resized, and the reason is kept', () => {
    const ways = [{ kind: 'Live' } as const, resize({ restarts: true }), rollout];
    expect(plan({ ...tight, ways }, now)).toMatchObject({
      kind: 'Rollout',
      knob: 'MemoryLimit',
      from: '128Mi',
      to: '160Mi',
    });
    expect(plan({ ...tight, goMemLimitBytes: 115 * MIB, ways: ways.slice(0, 2) }, now).reason).toMatch(
      /Live does not change the memory limit\. The resizePolicy of pod dispatch-a restarts .* Rollout is not possible here/,
    );
  });

  it('stays where GOMEMLIMIT alone is too low and the limit has room: GOMEMLIMIT is raised, a step at most', () => {
    const roomy = { ...tight, memoryLimitBytes: 256 * MIB, goMemLimitBytes: 100 * MIB };
    expect(plan(roomy, now)).toMatchObject({
      kind: 'Live',
      knob: 'GOMEMLIMIT',
      from: String(100 * MIB),
      to: String(125 * MIB),
      clampedBy: ['maxStep'],
    });
    const near = { ...roomy, goMemLimitBytes: 200 * MIB };
    expect(plan(near, now)).toMatchObject({ to: String(Math.floor(256 * MIB * 0.9)), clampedBy: [] });
    expect(plan({ ...roomy, goMemLimitBytes: 230 * MIB }, now)).toMatchObject({ knob: 'MemoryLimit' });
  });

  it('has GOMEMLIMIT follow where that stood in the way, once the limit is in effect', () => {
    const held = { ...tight, goMemLimitBytes: Math.floor(128 * MIB * 0.9) };
    const first = plan(held, now);
    expect(first).toMatchObject({ kind: 'Resize', to: '160Mi', makesRoomFor: 'GOMEMLIMIT' });
    const soFar = [{ ...resized, makesRoomFor: 'GOMEMLIMIT' as const }];
    const roomy = { ...held, memoryLimitBytes: 160 * MIB, ways: [{ kind: 'Live' }, resize()] as Way[], soFar };
    expect(plan(roomy, now)).toMatchObject({
      kind: 'Live',
      knob: 'GOMEMLIMIT',
      to: String(144 * MIB - 1),
      clampedBy: [],
      runbook: 'RaiseMemoryLimit',
    });
    // It is still the same runbook's.
    expect(plan({ ...roomy, diagnosis: cause('Leak', { remedy: undefined }) }, now).runbook).toBe('BuyTime');
    // It fits by now: nothing is left to follow, and the limit is not raised once more for want of it.
    expect(plan({ ...roomy, goMemLimitBytes: 144 * MIB }, now)).toMatchObject({ kind: 'None' });
  });

  it.each<[string, Partial<PlanInput>]>([
    ['none is set', {}],
    ['Live is not allowed', { goMemLimitBytes: 115 * MIB, spec: spec({ apply: ['Resize', 'Rollout'] }) }],
    ['the budget is for one action', { goMemLimitBytes: 115 * MIB, spec: spec({ budget: { actions: 1, per: '1h' } }) }],
  ])('has no GOMEMLIMIT follow where %s', (_, over) => {
    const raised = plan({ ...tight, ...over }, now);
    expect(raised).toMatchObject({ kind: 'Resize', to: '160Mi' });
    expect(raised.makesRoomFor).toBeUndefined();
  });

  it('at the policy’s maximum has the heap held back by GOMEMLIMIT', () => {
    const full = { ...tight, spec: spec({}, { max: '128Mi' }), summary: { ...tight.summary, heapLiveBytes: 60 * MIB } };
    expect(plan(full, now)).toMatchObject({
      kind: 'Live',
      knob: 'GOMEMLIMIT',
      from: null,
      to: String(Math.floor(128 * MIB * 0.9)),
    });
  });

  it.each<[string, Partial<PlanInput>, string]>([
    [
      'at the maximum with a live heap that GOMEMLIMIT would strangle',
      { summary: { ...tight.summary, heapLiveBytes: 100 * MIB } },
      'would never rest',
    ],
    [
      'at the maximum with a heap goal that fits',
      { summary: { ...tight.summary, heapLiveBytes: 40 * MIB } },
      'heap goal of 81 MiB fits',
    ],
    ['at the maximum with GOMEMLIMIT set', { goMemLimitBytes: 120 * MIB }, 'holds the heap back already'],
    ['without a limit', { memoryLimitBytes: null }, 'no memory limit that could be raised'],
    [
      'with a trigger that memory does not lower',
      { signal: 'throttledShare' },
      'More memory does not lower throttledShare',
    ],
  ])('is left %s, with the reason', (_, over, reason) => {
    const full = { ...tight, rootsBytes: MIB, spec: spec({}, { max: '128Mi' }), ...over };
    expect(plan(full, now)).toMatchObject({ kind: 'None', reason: expect.stringContaining(reason) });
  });

  it('is shown to people with the command that resizes in place', () => {
    const shown = plan({ ...tight, spec: spec({ mode: 'Recommend' }) }, now);
    expect(shown.patch).toBe(
      'kubectl patch pod dispatch-a --namespace=robots --subresource=resize --patch=\'{"spec":{"containers":[{"name":"robot","resources":{"limits":{"memory":"160Mi"}}}]}}\'\n',
    );
    const byRollout = plan({ ...tight, spec: spec({ mode: 'Recommend', apply: ['Rollout'] }) }, now);
    expect(byRollout.patch).toContain('requests:\n              memory: 160Mi');
  });
});

describe('GOGC that does not fit under the memory limit', () => {
  const clamped: PlanInput = {
    ...tight,
    signal: 'gcCpuShare',
    diagnosis: cause('GogcTooLow'),
    summary: { ...tight.summary, gogc: 50 },
    useBytes: 90 * MIB,
  };

  const with50: RolloutWay = {
    ...rollout,
    settings: { ...rollout.settings, GOGC: { setting: '50', fromRef: false } },
  };
  const roomy = { ...clamped, memoryLimitBytes: 160 * MIB, soFar: [resized] };

  it('has the limit raised first where the policy allows Resize, and follows', () => {
    expect(plan(clamped, now)).toMatchObject({
      kind: 'Resize',
      knob: 'MemoryLimit',
      to: '160Mi',
      makesRoomFor: 'GOGC',
      reason: expect.stringContaining('First, because GOGC 100 does not fit under the memory limit, only 92 does.'),
    });
  });

  it('follows in the running process, as high as fits, whatever else could be raised once more', () => {
    expect(plan(roomy, now)).toMatchObject({ kind: 'Live', knob: 'GOGC', from: '50', to: '100' });
    const busy = { ...roomy, activeRobots: 20_000 };
    expect(plan(busy, now)).toMatchObject({ kind: 'Live', knob: 'GOGC', to: '140', clampedBy: ['memory'] });
  });

  it('does not follow by new pods: they would have the limit of their template', () => {
    const why = 'the process sets GOGC itself.';
    const ways: Way[] = [{ kind: 'Missing', of: 'Live', why }, resize({}, { limit: '160Mi' }), with50];
    expect(plan({ ...roomy, ways }, now)).toMatchObject({ kind: 'None', reason: expect.stringContaining(why) });
    expect(plan({ ...roomy, soFar: [], ways }, now)).toMatchObject({ kind: 'Rollout', knob: 'GOGC', to: '92' });
  });

  it('has no limit raised first that would not be of use: without Live, without budget for both, with a step too small', () => {
    const withoutLive = { ...clamped, ways: [resize(), with50], spec: spec({ apply: ['Resize', 'Rollout'] }) };
    const oneAction = { ...clamped, spec: spec({ budget: { actions: 1, per: '1h' } }) };
    for (const input of [withoutLive, oneAction])
      expect(plan(input, now)).toMatchObject({ knob: 'GOGC', to: '92', clampedBy: ['memory'] });
    const summary = { ...clamped.summary, gogc: 90 };
    expect(plan({ ...clamped, summary, spec: spec({}, { step: '1%' }) }, now)).toMatchObject({ kind: 'None' });
  });

  it('waits for a budget that has room for both', () => {
    const past = { ...resized, makesRoomFor: undefined, at: '2026-01-01T11:30:00.000Z' };
    const input = { ...clamped, history: [past], spec: spec({ budget: { actions: 2, per: '1h' } }) };
    expect(plan(input, now).blockedBy).toEqual(['Budget: 1 actions within 1h, the budget is 2, and 2 would be needed']);
  });

  it('is set as high as fits where it does not, or where the limit cannot be raised', () => {
    const withoutResize = { ...clamped, spec: spec({ apply: ['Live', 'Rollout'] }) };
    expect(plan(withoutResize, now)).toMatchObject({ kind: 'Live', knob: 'GOGC', to: '92', clampedBy: ['memory'] });
    expect(plan({ ...clamped, spec: spec({}, { max: '128Mi' }) }, now)).toMatchObject({ knob: 'GOGC', to: '92' });
  });
});

describe('a leak', () => {
  const leaking = { ...tight, diagnosis: cause('Leak', { remedy: undefined }) };
  const raised: ActionRecord = {
    kind: 'Resize',
    owner,
    container: 'robot',
    knob: 'MemoryLimit',
    before: '102Mi',
    after: '128Mi',
    at: '2026-01-01T10:00:00.000Z',
    result: 'Completed',
  };

  it('gets one step of memory where the kernel would soon kill: time for people', () => {
    expect(plan(leaking, now)).toMatchObject({
      knob: 'MemoryLimit',
      to: '160Mi',
      reason: expect.stringContaining('buys time'),
    });
  });

  it.each<[string, Partial<PlanInput>, string]>([
    ['far from the limit', { useBytes: 100 * MIB }, 'not tuned away'],
    ['a second time', { history: [raised] }, 'time was bought once'],
    ['at the maximum', { spec: spec({}, { max: '128Mi' }) }, 'No time can be bought'],
    ['on little evidence', { diagnosis: cause('Leak', { confidence: 0.3, remedy: undefined }) }, 'too uncertain'],
  ])('gets nothing %s', (_, over, reason) => {
    expect(plan({ ...leaking, ...over }, now)).toMatchObject({ kind: 'None', reason: expect.stringContaining(reason) });
  });
});

describe('whatever is known of memory, cause, bounds and ways', () => {
  const bytes = fc.integer({ min: MIB, max: 2 ** 33 });
  const inputs = fc.record({
    cause: fc.constantFrom('MemoryLimitTooTight', 'GogcTooLow', 'Leak', 'NotGc'),
    signal: fc.constantFrom('gcCpuShare' as const, 'memoryPressureSome' as const, 'oomKills' as const),
    limit: bytes,
    use: bytes,
    live: bytes,
    gogc: fc.integer({ min: -1, max: 800 }),
    goMemLimit: fc.option(bytes),
    robots: fc.integer({ min: 0, max: 50_000 }),
    maxMib: fc.integer({ min: 1, max: 9000 }),
    step: fc.integer({ min: 1, max: 300 }),
    apply: fc.shuffledSubarray(['Live', 'Resize', 'Rollout'], { minLength: 1 }),
  });

  it('the limit goes up within maximum and step, GOMEMLIMIT stays under the limit, GOGC fits', () => {
    fc.assert(
      fc.property(inputs, ({ limit, use, live, gogc, goMemLimit, robots, maxMib, step, apply, ...over }) => {
        const bounded = spec({ apply }, { min: '1Mi', max: `${maxMib}Mi`, step: `${step}%` });
        const input: PlanInput = {
          ...tight,
          signal: over.signal,
          diagnosis: cause(over.cause),
          spec: bounded,
          summary: { ...tight.summary, gogc, heapLiveBytes: live },
          ways: [
            { kind: 'Live' },
            resize({ limitBytes: limit, useBytes: use, requestBytes: 1 }, { limit: String(limit) }),
            rollout,
          ],
          memoryLimitBytes: limit,
          useBytes: use,
          goMemLimitBytes: goMemLimit,
          activeRobots: robots,
        };
        const done = plan(input, now);
        if (done.kind === 'None') return;
        check(done, input);
      }),
      { numRuns: 20_000 },
    );
  });

  function check(
    { kind, knob, to }: Plan,
    { spec: { actions, tuning }, memoryLimitBytes, useBytes, summary }: PlanInput,
  ) {
    const limit = memoryLimitBytes ?? 0;
    const { max, step, goMemLimit } = tuning.memoryLimit;
    expect(actions.apply).toContain(kind);
    if (knob === 'MemoryLimit') {
      const bytes = quantityBytes(to ?? '') ?? 0;
      expect(bytes).toBeGreaterThan(limit);
      expect(bytes).toBeLessThanOrEqual(quantityBytes(max ?? '') ?? 0);
      expect(bytes).toBeLessThan(limit * (1 + ratio(step)) + MIB);
      expect(kind).not.toBe('Live');
      if (bytes < limit) expect(bytes).toBeGreaterThanOrEqual(withHeadRoom(useBytes ?? 0));
    } else if (knob === 'GOMEMLIMIT') {
      expect(Number(to)).toBeLessThanOrEqual(ratio(goMemLimit) * limit);
      expect(kind).not.toBe('Resize');
    } else {
      expect(summary.heapLiveBytes * (1 + Number(to) / 100)).toBeLessThanOrEqual(ratio(goMemLimit) * limit + 1);
    }
  }
});
