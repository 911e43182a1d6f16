/** A limit raised for the sake of GOGC, from there to the end: every write of the status, with the cluster and its agents played in between. */
import { describe, expect, it } from 'vitest';
import type { ActionRecord, IncidentStatus } from '../../../api/index.ts';
import type { SignalWindow } from '../../../model/index.ts';
import { calmCgroup } from '../../../model/testing.ts';
import { NO_RESIZE } from '../../resize/observe.ts';
import {
  foundWorkload,
  incidentWith,
  iso,
  podLimitedTo,
  policyWith,
  summary,
  T0,
  viewWith,
  windowAt,
} from '../testing.ts';
import type { IncidentView, Step } from '../view.ts';
import { decide, judged } from './index.ts';

const MIB = 2 ** 20;
const diagnosis = { cause: 'GogcTooLow', summary: 'GOGC 10 is too low.', confidence: 0.9, evidence: ['20 % GC'] };
const limit: ActionRecord = {
  kind: 'Resize',
  owner: foundWorkload.owner,
  container: 'robot',
  knob: 'MemoryLimit',
  before: '128Mi',
  after: '160Mi',
  makesRoomFor: 'GOGC',
  at: iso(10_000),
  result: 'Applied',
};
const gogc: ActionRecord = {
  ...limit,
  kind: 'Live',
  knob: 'GOGC',
  before: '10',
  after: '100',
  makesRoomFor: undefined,
  at: iso(12_000),
};
const done = (action: ActionRecord): ActionRecord => ({ ...action, result: 'Completed' });

interface World {
  readonly memory: string;
  readonly gogc?: { readonly from: string; readonly to: string } | undefined;
  readonly live?: 'Applied' | 'Reverted' | 'Refused';
  readonly before?: readonly SignalWindow[];
  readonly paused?: boolean;
}

const fresh = Array.from({ length: 5 }, (_, i) => windowAt(9000 + 1000 * i, 0.2, 10));

function viewOf(actions: ActionRecord[], world: World, status: IncidentStatus = {}): IncidentView {
  const policy = policyWith(
    { apply: ['Live', 'Resize'] },
    { gogc: { min: 25, max: 400, maxStep: '900%' }, memoryLimit: { max: '512Mi' } },
  );
  const pod = podLimitedTo('pod-uid', world.memory);
  if (world.live)
    policy.status.containers = [
      {
        ...{ pod: pod.metadata.name, container: 'robot', node: 'node-1', state: 'Watching' },
        live: { state: world.live, gogc: Number(world.gogc?.to ?? 10), message: 'it sets its own', at: iso(13_000) },
      },
    ];
  return viewWith({
    incident: incidentWith({ phase: 'Acting', diagnosis, actions, verification: { before: summary }, ...status }),
    policy,
    workload: {
      ...foundWorkload,
      ...{ pods: [pod], paused: world.paused ?? false },
      desired: world.gogc ? { robot: { policy: 'policy-uid', GOGC: world.gogc } } : {},
    },
    resize: {
      ...NO_RESIZE,
      ...{ pods: [pod], surroundings: { nodes: [], quotas: [], limitRanges: [] } },
      useBytes: new Map([['pod-uid', 90 * MIB]]),
    },
    before: world.before ?? fresh,
  });
}

function advance(step: Step): Partial<IncidentStatus> {
  if (step.type !== 'advance') throw new Error(`expected the status to advance, got ${JSON.stringify(step)}`);
  return step.status;
}
const at = (ms: number) => T0 + ms;

describe('a memory limit that was raised for its own sake', () => {
  it('stays where it helped, was not enough, and the budget is spent: people are told', () => {
    const { makesRoomFor: _, ...own } = done(limit);
    const tight = { cause: 'MemoryLimitTooTight', summary: 's', confidence: 0.9, evidence: [] };
    const verification = { before: summary, startedAt: iso(14_000) };
    const view = viewOf([own], { memory: '160Mi' }, { phase: 'Verifying', diagnosis: tight, verification });
    const policy = policyWith(
      { apply: ['Live', 'Resize'], budget: { actions: 1, per: '1h' } },
      { memoryLimit: { max: '512Mi' } },
    );
    const seconds = (from: number, share: number) =>
      Array.from({ length: 15 }, (_, i) => windowAt(from + 1000 * i, share, 100));
    const cgroup = { ...calmCgroup, memoryLimitBytes: 160 * MIB, memoryCurrentBytes: 140 * MIB };
    const after = seconds(20_000, 0.1).map((window) => ({ ...window, cgroup }));
    const { phase, message, actions } = advance(
      judged({ ...view, policy, after }, policy, seconds(0, 0.2), at(34_500)),
    );
    expect({ phase, actions }).toEqual({ phase: 'Escalated', actions: undefined });
    expect(message).toMatch(/helped and stays; the next step is held back: Budget: 1 actions within 1h/);
  });

  it('is raised once more where it helped and was not enough: how much is enough nobody knows beforehand', () => {
    const { makesRoomFor: _, ...own } = done(limit);
    const tight = { cause: 'MemoryLimitTooTight', summary: 's', confidence: 0.9, evidence: [] };
    const verification = { before: summary, startedAt: iso(14_000) };
    const view = viewOf([own], { memory: '160Mi' }, { phase: 'Verifying', diagnosis: tight, verification });
    const seconds = (from: number, share: number) =>
      Array.from({ length: 15 }, (_, i) => windowAt(from + 1000 * i, share, 100));
    const cgroup = { ...calmCgroup, memoryLimitBytes: 160 * MIB, memoryCurrentBytes: 140 * MIB };
    const after = seconds(20_000, 0.1).map((window) => ({ ...window, cgroup }));
    const policy = view.policy ?? policyWith();
    const next = advance(judged({ ...view, after }, policy, seconds(0, 0.2), at(34_500)));
    expect(next.actions?.at(-1)).toMatchObject({ kind: 'Resize', before: '160Mi', after: '200Mi', result: 'Pending' });
  });
});

describe('a memory limit that was raised for the sake of GOGC', () => {
  it('is not verified alone: once it is in effect, GOGC follows', () => {
    const settled = advance(decide(viewOf([limit], { memory: '160Mi' }), at(12_000)));
    expect(settled).toMatchObject({ phase: 'Acting', actions: [{ result: 'Completed' }] });
    expect(settled.message).toContain('MemoryLimit 128Mi → 160Mi on Deployment dispatch is in effect, GOGC follows');
    const next = advance(decide(viewOf([done(limit)], { memory: '160Mi' }), at(13_000)));
    expect(next.actions).toMatchObject([
      { knob: 'MemoryLimit', result: 'Completed' },
      { kind: 'Live', knob: 'GOGC', before: '10', after: '100', result: 'Pending' },
    ]);
    // So that no pod with the template's 128 Mi takes up what was worked out for 160.
    expect(next.actions?.at(-1)?.underBytes).toEqual({ after: 160 * MIB });
  });

  it('goes back with GOGC to the limit that the GOGC before was worked out for', () => {
    const world: World = { memory: '160Mi', gogc: { from: '10', to: '100' }, live: 'Refused' };
    const higher = { ...gogc, before: '50', underBytes: { before: 128 * MIB, after: 160 * MIB } };
    const back = advance(decide(viewOf([done(limit), higher], world), at(14_000)));
    expect(back.actions?.at(-1)).toMatchObject({
      ...{ kind: 'Rollback', before: '100', after: '50' },
      underBytes: { before: 160 * MIB, after: 128 * MIB },
    });
  });

  it('goes back when the pod in breach was started anew meanwhile: with it went the room, and whoever could tell more', () => {
    const view = viewOf([done(limit)], { memory: '128Mi' });
    const incident = {
      ...view.incident,
      spec: { ...view.incident.spec, pod: { name: 'dispatch-abc', uid: 'before' } },
    };
    const status = advance(decide({ ...view, incident }, at(13_000)));
    expect(status.actions).toMatchObject([done(limit), { kind: 'Rollback', knob: 'MemoryLimit', after: '128Mi' }]);
    expect(status.message).toContain('started anew');
  });

  it('is judged with it, from the moment at which GOGC is in effect', () => {
    const world: World = { memory: '160Mi', gogc: { from: '10', to: '100' }, live: 'Applied' };
    const verifying = advance(decide(viewOf([done(limit), gogc], world), at(14_000)));
    expect(verifying).toMatchObject({ phase: 'Verifying', verification: { before: summary, startedAt: iso(14_000) } });
  });

  it('waits for signals that are fresh, and goes back when they do not come', () => {
    const stale: World = { memory: '160Mi', before: [windowAt(1000, 0.2, 10)] };
    expect(decide(viewOf([done(limit)], stale), at(13_000)).type).toBe('wait');
    const late = advance(decide(viewOf([done(limit)], stale), at(320_000)));
    expect(late.actions?.at(-1)).toMatchObject({ kind: 'Rollback', knob: 'MemoryLimit', after: '128Mi' });
    expect(late.message).toContain('GOGC cannot follow: StaleSignals');
  });

  it('goes back at once when people say stop before GOGC followed', () => {
    const paused = advance(decide(viewOf([done(limit)], { memory: '160Mi', paused: true }), at(13_000)));
    expect(paused.actions?.at(-1)).toMatchObject({ kind: 'Rollback', undoes: 'Resize', after: '128Mi' });
  });

  it('goes back where the process takes no GOGC, and the incident goes on by what is left', () => {
    const refused = { ...gogc, result: 'Failed' as const, message: 'it sets its own' };
    const back = advance(decide(viewOf([done(limit), refused], { memory: '160Mi' }), at(15_000)));
    expect(back.actions).toMatchObject([
      { knob: 'MemoryLimit', result: 'Failed', message: expect.stringContaining('it sets its own') },
      { knob: 'GOGC', result: 'Failed' },
      { kind: 'Rollback', knob: 'MemoryLimit', before: '160Mi', after: '128Mi', result: 'Pending' },
    ]);
    const applied = back.actions?.map((action) => ({
      ...action,
      result: action.kind === 'Rollback' ? ('Applied' as const) : action.result,
    }));
    const gone = advance(decide(viewOf(applied ?? [], { memory: '128Mi' }), at(18_000)));
    const last = advance(decide(viewOf(gone.actions ?? [], { memory: '128Mi' }), at(19_000)));
    expect(last).toMatchObject({ phase: 'Escalated', message: expect.stringContaining('it sets its own') });
  });
});

describe('a memory limit that was raised for its own sake', () => {
  const raised = done({ ...limit, makesRoomFor: 'GOMEMLIMIT' });
  const tight = { cause: 'MemoryLimitTooTight', summary: 'It is tight.', confidence: 0.9, evidence: [] };
  const held = (goMemLimitMib: number): World => ({
    memory: '160Mi',
    before: fresh.map((window) => ({
      ...window,
      gc: window.gc && { ...window.gc, goMemLimitBytes: goMemLimitMib * MIB },
    })),
  });

  it('is followed by GOMEMLIMIT, in the running process', () => {
    const view = viewOf([raised], held(115), { diagnosis: tight, cause: tight.cause });
    expect(advance(decide(view, at(13_500))).actions?.at(-1)).toMatchObject({
      ...{ kind: 'Live', knob: 'GOMEMLIMIT', before: String(115 * MIB), after: String(143.75 * MIB) },
      result: 'Pending',
    });
  });

  it('is verified alone, and stays, where GOMEMLIMIT cannot follow', () => {
    const view = viewOf([raised], held(144), { diagnosis: tight, cause: tight.cause });
    const status = advance(decide(view, at(13_500)));
    expect(status).toMatchObject({ phase: 'Verifying', actions: [{ knob: 'MemoryLimit', result: 'Completed' }] });
  });

  it('buys time for a leak with it, then goes to people', () => {
    const leak = { ...tight, cause: 'Leak' };
    const view = viewOf([raised], held(144), { diagnosis: leak, cause: 'Leak' });
    expect(advance(decide(view, at(13_500)))).toMatchObject({
      phase: 'Escalated',
      message: expect.stringContaining('buys time'),
    });
  });
});

describe('a limit and GOGC that did not help', () => {
  const after = Array.from({ length: 15 }, (_, i) => windowAt(26_000 + i * 1000, 0.2 + (i % 3) / 100, 100));
  const before = Array.from({ length: 15 }, (_, i) => windowAt(i * 1000, 0.2 + (i % 3) / 100, 10));
  const changed: World = { memory: '160Mi', gogc: { from: '10', to: '100' }, live: 'Applied' };

  it('go back one after the other, GOGC before the limit, each to its exact value, with one end', () => {
    const verification = { before: summary, startedAt: iso(20_000) };
    const view = viewOf([done(limit), done(gogc)], changed, { phase: 'Verifying', verification });
    const first = advance(judged({ ...view, after }, view.policy ?? policyWith(), before, at(41_000)));
    expect(first.actions?.slice(2)).toMatchObject([
      { kind: 'Rollback', undoes: 'Live', knob: 'GOGC', before: '100', after: '10', result: 'Pending' },
    ]);

    const applied = (actions: ActionRecord[] = []) => [
      ...actions.slice(0, -1),
      { ...actions.at(-1), result: 'Applied' } as ActionRecord,
    ];
    const second = advance(decide(viewOf(applied(first.actions), { memory: '160Mi', live: 'Reverted' }), at(43_000)));
    expect(second.actions?.slice(2)).toMatchObject([
      { kind: 'Rollback', knob: 'GOGC', result: 'Completed' },
      { kind: 'Rollback', undoes: 'Resize', knob: 'MemoryLimit', before: '160Mi', after: '128Mi', result: 'Pending' },
    ]);

    const end = advance(decide(viewOf(applied(second.actions), { memory: '128Mi', live: 'Reverted' }), at(45_000)));
    expect(end.phase).toBe('RolledBack');
    expect(end.message).toMatch(/^GOGC is 10 again, MemoryLimit is 128Mi again: gcCpuShare is still over/);
  });

  it('are left together where GOGC was changed by someone else meanwhile: it may need the room', () => {
    const back = { ...gogc, kind: 'Rollback', undoes: 'Live', before: '100', after: '10', result: 'Pending' } as const;
    const world: World = { ...changed, gogc: { from: '10', to: '70' } };
    const left = advance(decide(viewOf([done(limit), done(gogc), back], world), at(43_000)));
    expect(left).toMatchObject({ phase: 'Escalated', message: expect.stringContaining('MemoryLimit stays 160Mi.') });
  });

  it('go back in the same order when a further step is refused after they did not help enough', () => {
    const further: ActionRecord = {
      ...limit,
      before: '160Mi',
      after: '200Mi',
      at: iso(60_000),
      result: 'Failed',
      message: 'no room on the node',
    };
    const verification = { before: summary, reason: 'gcCpuShare is lower, yet still over its limit.' };
    const view = viewOf([done(limit), done(gogc), further], changed, { verification });
    const { actions, message } = advance(decide(view, at(70_000)));
    expect(actions?.at(-1)).toMatchObject({ kind: 'Rollback', knob: 'GOGC', before: '100', after: '10' });
    expect(message).toContain('yet still over its limit. no room on the node');
  });
});
