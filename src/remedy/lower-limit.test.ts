import { describe, expect, it } from 'vitest';
import type { ActionRecord, DesiredSettings } from '../api/index.ts';
import { syntheticSpec } from '../model/testing.ts';
import type { ResizeWay } from './resize.ts';
import { planTuning, type TuningInput } from './tuning.ts';

const MIB = 2 ** 20;
const HOUR = 3_600_000;
const now = new Date('2026-01-01T12:00:00Z');
const ago = (ms: number): string => new Date(now.getTime() - ms).toISOString();
const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'dispatch', uid: 'u' };

function change(over: Partial<ActionRecord>): ActionRecord {
  const done = { kind: 'Resize', owner, container: 'robot', knob: 'MemoryLimit', result: 'Completed' } as const;
  return { ...done, before: '512Mi', after: '640Mi', at: ago(2 * HOUR), ...over };
}
const [raised, raisedAgain] = [change({}), change({ before: '640Mi', after: '800Mi', at: ago(1.9 * HOUR) })];

function resizeWay(limit: string, useMib = 100): ResizeWay {
  const sizes = { limitBytes: Number(limit.replace('Mi', '')) * MIB, requestBytes: null, useBytes: useMib * MIB };
  const pod = { pod: 'dispatch-0', node: 'n', ...sizes, restarts: false, guaranteedOtherwise: false, podLevel: false };
  return {
    ...{ kind: 'Resize', namespace: 'robots', container: 'robot', limit, containers: [pod] },
    ...{ rooms: [], caps: [], mayRestart: false },
  };
}

/** 70 MiB live with GOGC 100 under a limit that incidents raised from 512 to 800 MiB, two hours ago. */
function input(over: Partial<TuningInput> = {}, memoryLimit: object = {}, facts: Partial<TuningInput['facts']> = {}) {
  const wished: TuningInput = {
    spec: syntheticSpec({
      activity: { tcpConnections: { port: 1 } },
      tuning: {
        ...{ continuous: true, formula: { base: 100, baseline: 10_000 } },
        memoryLimit: { max: '1Gi', ...memoryLimit },
      },
      actions: { mode: 'Auto', apply: ['Live', 'Resize'] },
    }),
    subject: 'Deployment dispatch',
    ...{ paused: false, killSwitch: false, newestWindowAgeMs: 0 },
    ways: [{ kind: 'Live' }, resizeWay('800Mi')],
    history: [raised, raisedAgain],
    tuned: [],
    facts: {
      ...{ pods: 1, windows: 20, activeRobots: 10_000, gogcs: [100], goMemLimits: [null] },
      ...{ heapLiveBytes: 70 * MIB, rootsBytes: MIB, nonGoBytes: 0, memoryLimitBytes: 800 * MIB, newestWindowAgeMs: 0 },
      ...facts,
    },
    calm: { sinceMs: now.getTime() - 2 * HOUR, peakLiveBytes: 75 * MIB, peakUseBytes: 200 * MIB },
    declaredLimitBytes: 512 * MIB,
    ...over,
  };
  return wished;
}
const plan = (...parts: Parameters<typeof input>) => planTuning(input(...parts), now);
const wishes = (knobs: Partial<DesiredSettings>): DesiredSettings => ({ policy: 'p', ...knobs });
const ofOurs = (mib: number, underMib: number) => ({ from: null, to: String(mib * MIB), underBytes: underMib * MIB });

describe('a memory limit that was raised', () => {
  it('comes down by a step after a calm hour, and not below what the team declared', () => {
    expect(plan()).toMatchObject({ kind: 'Resize', knob: 'MemoryLimit', from: '800Mi', to: '640Mi' });
    const lower = { history: [raised], ways: [{ kind: 'Live' } as const, resizeWay('640Mi')] };
    expect(plan(lower)).toMatchObject({ from: '640Mi', to: '512Mi' });
    expect(plan({ ...lower, declaredLimitBytes: 560 * MIB })).toMatchObject({ to: '560Mi' });
  });

  it('takes GOMEMLIMIT and GOGC along first, each set for the smaller limit, as they are ours', () => {
    const ours = { GOMEMLIMIT: ofOurs(720, 800), GOGC: { from: '50', to: '100', underBytes: 800 * MIB } };
    const facts = { goMemLimits: [720 * MIB] };
    expect(plan({ wishes: wishes(ours) }, {}, facts)).toMatchObject({
      ...{ kind: 'Live', knob: 'GOMEMLIMIT', to: String(576 * MIB), underBytes: 640 * MIB },
    });
    const second = { ...ours, GOMEMLIMIT: ofOurs(576, 640) };
    const under = { goMemLimits: [576 * MIB] };
    expect(plan({ wishes: wishes(second) }, {}, under)).toMatchObject({
      ...{ kind: 'Live', knob: 'GOGC', from: '100', to: '100', underBytes: 640 * MIB },
    });
    const third = { ...second, GOGC: { ...ours.GOGC, underBytes: 640 * MIB } };
    expect(plan({ wishes: wishes(third) }, {}, under)).toMatchObject({ kind: 'Resize', to: '640Mi' });
  });

  it('keeps the aim that GOMEMLIMIT was set for, whatever is needed a little more by then', () => {
    const begun = wishes({ GOMEMLIMIT: ofOurs(590, 656) });
    expect(plan({ wishes: begun }, {}, { goMemLimits: [590 * MIB] })).toMatchObject({ kind: 'Resize', to: '656Mi' });
  });

  it('is not held up by use that GOMEMLIMIT lets grow; the last step waits until it has gone', () => {
    const calm = { sinceMs: 0, peakLiveBytes: 75 * MIB, peakUseBytes: 700 * MIB };
    const facts = { goMemLimits: [720 * MIB] };
    expect(plan({ calm, wishes: wishes({ GOMEMLIMIT: ofOurs(720, 800) }) }, {}, facts)).toMatchObject({
      knob: 'GOMEMLIMIT',
    });
    const still = { ways: [{ kind: 'Live' } as const, resizeWay('800Mi', 700)] };
    const set = { calm, wishes: wishes({ GOMEMLIMIT: ofOurs(576, 640) }), ...still };
    expect(plan(set, { holdHeap: true }, { goMemLimits: [576 * MIB] })).toMatchObject({
      kind: 'None',
      reason: expect.stringMatching(/stays for now: .*uses 700 MiB/),
    });
    expect(plan({ calm }).kind).toBe('None');
  });

  it.each<[string, Partial<TuningInput>, object, Partial<TuningInput['facts']>]>([
    ['while it is not calm for an hour yet', { history: [change({ after: '800Mi', at: ago(HOUR / 2) })] }, {}, {}],
    ['that somebody else raised', { history: [raised] }, {}, {}],
    ['that nobody knows of any more', { history: [] }, {}, {}],
    ['while an incident is not long over', { calm: { ...calmFor(0.5 * HOUR) } }, {}, {}],
    ['of which the peak is not known', { calm: { ...calmFor(2 * HOUR), peakLiveBytes: undefined } }, {}, {}],
    ['that is needed: the live heap', { calm: { ...calmFor(2 * HOUR), peakLiveBytes: 400 * MIB } }, {}, {}],
    ['that is needed: GOGC', { calm: { ...calmFor(2 * HOUR), peakLiveBytes: 340 * MIB } }, {}, {}],
    ['by less than a tenth', { declaredLimitBytes: 740 * MIB }, {}, {}],
    ['where the policy does not have Resize', {}, {}, {}],
    ['below the policy’s minimum', {}, { min: '780Mi' }, {}],
    ['under which the program’s own GOMEMLIMIT would not fit', {}, {}, { goMemLimits: [700 * MIB] }],
  ])('does not come down %s', (what, over, memoryLimit, facts) => {
    const { spec, ...rest } = input(over, memoryLimit, facts);
    const apply = what.includes('Resize') ? (['Live'] as const) : spec.actions.apply;
    const planned = planTuning({ ...rest, spec: { ...spec, actions: { ...spec.actions, apply: [...apply] } } }, now);
    expect(planned).toMatchObject({ kind: 'None' });
  });

  it('has to be calm for twice as long for each time that it was raised again', () => {
    const life = (hours: number) => [
      change({ before: '640Mi', after: '800Mi', at: ago((hours + 4) * HOUR) }),
      change({ before: '800Mi', after: '640Mi', at: ago((hours + 2) * HOUR) }),
      change({ before: '640Mi', after: '800Mi', at: ago(hours * HOUR) }),
    ];
    const calm = calmFor(10 * HOUR);
    expect(plan({ calm, history: life(1.5) }).kind).toBe('None');
    expect(plan({ calm, history: life(2.1) })).toMatchObject({ kind: 'Resize', to: '640Mi' });
  });

  it('is lowered by the guardrails of every change, and by a wave of robots only after GOGC', () => {
    expect(plan({ busyWith: 'dispatch-1' }).blockedBy?.join()).toContain('OneActionInFlight');
    expect(plan({}, {}, { activeRobots: 20_000 })).toMatchObject({ knob: 'GOGC', to: '200' });
  });
});

function calmFor(ms: number) {
  return { sinceMs: now.getTime() - ms, peakLiveBytes: 75 * MIB, peakUseBytes: 200 * MIB };
}
