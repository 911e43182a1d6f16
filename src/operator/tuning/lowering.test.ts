/** A memory limit that an incident raised, on its way down, as continuous tuning decides it step by step. */
import { describe, expect, it } from 'vitest';
import {
  type ActionRecord,
  type ContainerState,
  type Desired,
  type RobotGCPolicy,
  type TuningState,
  withChange,
} from '../../api/index.ts';
import type { Pod } from '../../kube/index.ts';
import { tuningFacts } from '../../remedy/index.ts';
import { foundWorkload, iso, policyWith, T0, windowAt } from '../incidents/testing.ts';
import { podOf } from '../workloads/testing.ts';
import { decide, withLast } from './decide.ts';
import type { TuningStep, TuningView } from './view.ts';

const MIB = 2 ** 20;
const NOW = T0 + 3 * 3_600_000;
const ms = (beforeNow: number): number => NOW - T0 - beforeNow;
const owner = foundWorkload.owner;

const raised: ActionRecord = {
  ...{ kind: 'Resize', owner, container: 'robot', knob: 'MemoryLimit', before: '512Mi', after: '640Mi' },
  ...{ at: iso(ms(2 * 3_600_000)), result: 'Completed' },
};
const lowering: ActionRecord = { ...raised, before: '640Mi', after: '512Mi', at: iso(ms(5000)), result: 'Applied' };
const known = (action: ActionRecord): TuningState => ({
  ...{ owner, container: 'robot', at: action.at, actions: [action] },
  plan: { kind: 'Resize', knob: 'MemoryLimit', from: '640Mi', to: '512Mi', reason: 'It is calm.' },
});

function pod(name: string, limit: string, inEffect = limit, conditions: Pod['status']['conditions'] = []): Pod {
  const made = podOf(name, {
    containers: [{ name: 'robot', resources: { limits: { memory: limit } } }],
    containerStatuses: [{ name: 'robot', resources: { limits: { memory: inEffect } } }],
  });
  return { ...made, status: { ...made.status, conditions: [...made.status.conditions, ...conditions] } };
}
const [large, small] = ['640Mi', '512Mi'];
const [high, low] = [pod('a', large), pod('a', small)];
const [nextHigh, nextLow] = [pod('b', large), pod('b', small)];

function policy(over: object = {}): RobotGCPolicy {
  return policyWith(
    { apply: ['Live', 'Resize'], ...over },
    { continuous: true, formula: { base: 100, baseline: 10_000 }, memoryLimit: { max: '1Gi' } },
  );
}

function view(pods: readonly Pod[], over: Partial<TuningView> = {}, useMib = 150): TuningView {
  const windows = Array.from({ length: 15 }, (_, at) => windowAt(ms((14 - at) * 1000), 0.01, 100));
  const facts = { ...tuningFacts([windows], NOW), memoryLimitBytes: 640 * MIB };
  const useBytes = new Map(pods.map(({ metadata }) => [metadata.uid, useMib * MIB]));
  const surroundings = { nodes: [], quotas: [], limitRanges: [] };
  return {
    policy: policy(),
    workload: { ...foundWorkload, pods },
    known: undefined,
    facts,
    resize: { pods, allPods: pods, useBytes, surroundings },
    calm: { sinceMs: NOW - 2 * 3_600_000, peakLiveBytes: 70 * MIB, peakUseBytes: 160 * MIB },
    history: [raised],
    tuned: [],
    ...{ busyWith: undefined, watchedSinceMs: 0, observeOnly: false, breaker: { type: 'closed' } },
    ...over,
  };
}

const actionsOf = (step: TuningStep) =>
  step.type === 'write'
    ? step.state.actions?.map(({ kind, undoes, before, after, result }) => [undoes ?? kind, before, after, result])
    : step;

describe('a memory limit that is needed no more', () => {
  it('is written down before any pod is resized, with the value before', () => {
    const step = decide(view([high, nextHigh]), NOW);
    expect(actionsOf(step)).toEqual([['Resize', '640Mi', '512Mi', 'Pending']]);
    expect(step).toMatchObject({ state: { plan: { reason: expect.stringContaining('after a calm time') } } });
  });

  it('is carried out, once more after a crash, a share of the pods at a time', () => {
    const pending = known({ ...lowering, result: 'Pending' });
    expect(decide(view([high, nextHigh], { known: pending }), NOW).type).toBe('apply');
    expect(decide(view([pod('a', small, large), nextHigh], { known: known(lowering) }), NOW).type).toBe('wait');
    expect(decide(view([low, nextHigh], { known: known(lowering) }), NOW).type).toBe('apply');
  });

  it('is over when the kubelet has it of every pod, also beside pods that never had more', () => {
    const step = decide(view([low, nextLow], { known: known(lowering) }), NOW);
    expect(actionsOf(step)).toEqual([['Resize', '640Mi', '512Mi', 'Completed']]);
    expect(step).toMatchObject({ ended: { knob: 'MemoryLimit' }, story: { reason: 'Tuned' } });
  });

  it('waits for memory to go back before a pod that uses too much is touched', () => {
    const using = (useMib: number) =>
      decide(view([high], { known: known({ ...lowering, result: 'Pending' }) }, useMib), NOW);
    expect(using(400).type).toBe('apply');
    expect(decide(view([high], { known: known(lowering) }, 500), NOW).type).toBe('wait');
    expect(decide(view([high], {}, 500), NOW)).toMatchObject({ state: { plan: { kind: 'None' } } });
  });

  it('goes back up where a node cannot do it, and where somebody says stop half-way', () => {
    const infeasible = {
      type: 'PodResizePending',
      status: 'True',
      reason: 'Infeasible',
      message: 'no',
      observedGeneration: 0,
      lastTransitionTime: '',
    };
    const stuck = decide(view([pod('a', small, large, [infeasible])], { known: known(lowering) }), NOW);
    const back = [
      ['Resize', '640Mi', '512Mi', 'Failed'],
      ['Resize', '512Mi', '640Mi', 'Pending'],
    ];
    expect(actionsOf(stuck)).toEqual(back);
    const stopped = { known: known(lowering), policy: policy({ mode: 'Observe' }) };
    expect(actionsOf(decide(view([low, nextHigh], stopped), NOW))).toEqual(back);
  });

  it('is left to whoever set another one meanwhile', () => {
    const step = decide(view([pod('a', '700Mi')], { known: known(lowering) }), NOW);
    expect(step).toMatchObject({ ended: { result: 'Failed', message: expect.stringContaining('700Mi') } });
  });

  it('is not begun while an incident of the workload is open', () => {
    const pending = { known: known({ ...lowering, result: 'Pending' }), busyWith: 'dispatch-1' };
    const step = decide(view([high], pending), NOW);
    expect(step).toMatchObject({ state: { plan: { blockedBy: [expect.stringContaining('dispatch-1')] } } });
    expect(actionsOf(step)).toBeUndefined();
  });

  it('tells of each change of a step once, and of none that it is blocked while it only waits for its time', () => {
    expect(storiesOfAStep()).toEqual([
      expect.stringMatching(/^Tuned: GOMEMLIMIT 603979776 → 483183820 /),
      expect.stringMatching(/^Tuned: GOGC 100 → 100 /),
      expect.stringMatching(/^Tuned: MemoryLimit 640Mi → 512Mi /),
    ]);
  });

  it('tells once what stands against a step, also where that outlasts the cool-down', () => {
    const story = expect.stringMatching(/^TuningBlocked: GOGC 100 → 100 .*TuningBudget: 1 changes/);
    expect(storiesOfAStep({ budget: { actions: 2, per: '1h' } })).toEqual([expect.stringMatching(/^Tuned: /), story]);
  });
});

/** A step as it goes by, a look each second for twenty minutes: agents answer after two, the signals show it after three. */
function storiesOfAStep(actions: object = {}): string[] {
  const stories: string[] = [];
  const settings = { policy: 'policy-uid', underBytes: 640 * MIB, stays: true };
  let desired = withChange({}, 'robot', { ...settings, knob: 'GOMEMLIMIT', from: null, to: String(576 * MIB) });
  desired = withChange(desired, 'robot', { ...settings, knob: 'GOGC', from: '50', to: '100' });
  let [known, pods, appliedAtMs]: [TuningState | undefined, readonly Pod[], number] = [undefined, [high], 0];
  const shown: number[] = [];
  for (let now = NOW; now < NOW + 1_200_000; now += 1000) {
    shown.push(Number(desired.robot?.GOMEMLIMIT?.to));
    const step = decide(stepView({ now, desired, known, pods, appliedAtMs, shown, actions }), now);
    if (step.type === 'wait') continue;
    known = step.state;
    if (step.type === 'write') {
      if (step.story) stories.push(`${step.story.reason}: ${step.story.note}`);
      continue;
    }
    const { knob, before: from, after: to, underBytes } = step.action;
    if (knob === 'GOGC' || knob === 'GOMEMLIMIT')
      desired = withChange(desired, 'robot', { ...settings, knob, from, to, underBytes: underBytes?.after });
    else pods = [low];
    appliedAtMs = now;
    known = withLast(known, { ...step.action, result: 'Applied' });
  }
  return stories;
}

interface Moment {
  readonly now: number;
  readonly desired: Desired;
  readonly known: TuningState | undefined;
  readonly pods: readonly Pod[];
  readonly appliedAtMs: number;
  /** GOMEMLIMIT that was wished for, second by second. */
  readonly shown: readonly number[];
  readonly actions: object;
}

function stepView({ now, desired, known, pods, appliedAtMs, shown, actions }: Moment): TuningView {
  const goMemLimitBytes = shown.at(-4) ?? 576 * MIB;
  const windows = Array.from({ length: 15 }, (_, at) => {
    const window = windowAt(now - T0 - (14 - at) * 1000, 0.01, 100);
    return window.gc ? { ...window, gc: { ...window.gc, goMemLimitBytes } } : window;
  });
  const state = now - appliedAtMs >= 2000 ? 'Applied' : 'Pending';
  const container: ContainerState = {
    ...{ pod: high.metadata.name, container: 'robot', node: 'n', state: 'Watching' },
    live: { state, gogc: 100, memoryLimitBytes: Number(desired.robot?.GOMEMLIMIT?.to), at: iso(now - T0) },
  };
  const asked = policy(actions);
  return view(pods, {
    policy: { ...asked, status: { ...asked.status, containers: [container] } },
    workload: { ...foundWorkload, pods, desired },
    known,
    facts: { ...tuningFacts([windows], now), memoryLimitBytes: 640 * MIB },
    tuned: known?.actions ?? [],
  });
}
