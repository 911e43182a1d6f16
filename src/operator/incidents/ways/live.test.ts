import { describe, expect, it } from 'vitest';
import type { ActionRecord, ContainerState, Desired, LiveState } from '../../../api/index.ts';
import { pods } from '../../../kube/index.ts';
import { foundWorkload, iso, policyWith, T0, viewWith } from '../testing.ts';
import { live } from './live.ts';

const action: ActionRecord = {
  kind: 'Live',
  owner: foundWorkload.owner,
  container: 'robot',
  knob: 'GOGC',
  before: '10',
  after: '100',
  at: iso(0),
  result: 'Applied',
};
const back: ActionRecord = { ...action, kind: 'Rollback', undoes: 'Live', before: '100', after: '10' };
const desired = { robot: { policy: 'policy-uid', GOGC: { from: '10', to: '100' } } };
const applied: LiveState = { state: 'Applied', gogc: 100, at: iso(1000) };
const refused: LiveState = { state: 'Refused', reason: 'SetByOthers', message: 'it sets its own', at: iso(1000) };

/** A pod for each state; undefined: its agent has said nothing. */
function progress(
  states: (LiveState | undefined)[],
  record = action,
  wanted: Desired = desired,
  afterMs = 2000,
  limits: readonly string[] = [],
  watchedAfterMs = 0,
) {
  const names = states.map((_, i) => `robot-${i}`);
  const policy = policyWith();
  policy.status.containers = states.map(
    (state, i): ContainerState => ({
      pod: `robot-${i}`,
      container: 'robot',
      node: 'node-1',
      state: 'Watching',
      ...(state ? { live: state } : {}),
    }),
  );
  const running = names.map((name, i) => {
    const robot = { name: 'robot', resources: { limits: { memory: limits[i] ?? '512Mi' } } };
    return pods.parse({
      metadata: { name, uid: name, resourceVersion: '1' },
      ...{ spec: { containers: [robot] }, status: { phase: 'Running' } },
    });
  });
  const workload = { ...foundWorkload, desired: wanted, pods: running };
  return live.progress(
    viewWith({ policy, workload, watchedSinceMs: T0 + watchedAfterMs }),
    workload,
    record,
    T0 + afterMs,
  );
}

describe('a change in running processes', () => {
  it('has not begun before it stands on the owner', () => {
    expect(progress([undefined], { ...action, result: 'Pending' }, {})).toEqual({ type: 'before' });
  });

  it('is under way until the agent of every pod has confirmed it', () => {
    expect(progress([applied, undefined])).toMatchObject({ type: 'underway', reason: 'set in 1 of 2 pods' });
    expect(progress([applied, { ...applied, gogc: 70 }])).toMatchObject({ type: 'underway' });
    expect(progress([applied, applied])).toEqual({ type: 'settled' });
  });

  it('leaves room for another way when no process took it, and is undone when only some did', () => {
    expect(progress([refused, undefined])).toEqual({ type: 'refused', why: 'it sets its own' });
    expect(progress([refused, applied])).toEqual({ type: 'failed', why: 'it sets its own' });
  });

  it('leaves out pods with less memory than it was worked out for, unless there are no others', () => {
    const wanted = { robot: { ...desired.robot, GOGC: { ...desired.robot.GOGC, underBytes: 180 * 2 ** 20 } } };
    const tight = { ...refused, reason: 'LessMemory' };
    const under = (states: (LiveState | undefined)[], limits: string[]) =>
      progress(states, action, wanted, 2000, limits);
    expect(under([applied, tight], ['180Mi', '144Mi'])).toEqual({ type: 'settled' });
    expect(under([undefined, undefined], ['225Mi', '144Mi'])).toMatchObject({ reason: 'set in 0 of 1 pods' });
    expect(under([tight], ['144Mi'])).toEqual({
      type: 'refused',
      why: 'every pod has less memory than it was worked out for',
    });
  });

  it('is not refused by what a pod that was made anew said of the wish before, which needed more memory', () => {
    const wanted = { robot: { policy: 'policy-uid', GOGC: { from: '10', to: '100', underBytes: 256 * 2 ** 20 } } };
    const stale = { ...refused, reason: 'LessMemory' };
    expect(progress([stale], action, wanted, 2000, ['256Mi']).type).toBe('underway');
    expect(progress([applied], action, wanted, 4000, ['256Mi'])).toEqual({ type: 'settled' });
    expect(progress([stale], action, wanted, 62_000, ['256Mi']).type).toBe('refused');
  });

  it('is given up when no agent says anything for a minute', () => {
    expect(progress([undefined], action, desired, 59_000).type).toBe('underway');
    expect(progress([undefined], action, desired, 61_000)).toMatchObject({
      type: 'refused',
      why: expect.stringContaining('60 s'),
    });
  });

  it('is not given up for a silence in which this operator heard nobody either', () => {
    expect(progress([undefined], action, desired, 90_000, [], 80_000).type).toBe('underway');
    expect(progress([undefined], action, desired, 90_000, [], 29_000).type).toBe('refused');
  });

  it('waits for the next cycle of a program that hardly ever collects, which Go forces after two minutes', () => {
    const written: LiveState = { ...applied, state: 'Pending' };
    expect(progress([written], action, desired, 150_000).type).toBe('underway');
    expect(progress([written], action, desired, 182_000)).toEqual({
      type: 'refused',
      why: 'it is written, and no cycle has gone by it for 180 s',
    });
  });

  it('waits as long for a program that follows its file, and then says what it has', () => {
    const waiting: LiveState = { state: 'Pending', gogc: 10, message: 'process 7 has GOGC=10', at: iso(1000) };
    expect(progress([waiting], action, desired, 150_000).type).toBe('underway');
    expect(progress([waiting], action, desired, 182_000)).toEqual({
      type: 'refused',
      why: 'process 7 has GOGC=10, for 180 s',
    });
  });

  it('is somebody else’s when the owner says something else by now', () => {
    const other = { robot: { policy: 'policy-uid', GOGC: { from: '10', to: '70' } } };
    expect(progress([applied], action, other).type).toBe('meanwhile');
    expect(progress([applied], action, {}).type).toBe('meanwhile');
  });

  it('is undone beside another one that stays once every process has the value before again', () => {
    const memory = { from: null, to: '128Mi' };
    const both = { robot: { policy: 'policy-uid', GOGC: { from: '10', to: '10' }, GOMEMLIMIT: memory } };
    expect(progress([applied], back, both).type).toBe('underway');
    expect(progress([{ ...applied, gogc: 10 }], back, both)).toEqual({ type: 'settled' });
  });

  it('is undone once every process has its own value again', () => {
    expect(progress([applied], { ...back, result: 'Pending' }).type).toBe('before');
    expect(progress([applied], back, {}).type).toBe('underway');
    expect(progress([{ ...applied, state: 'Reverted', gogc: 10 }, undefined], back, {})).toEqual({ type: 'settled' });
    expect(progress([refused], back, {})).toEqual({ type: 'settled' });
    expect(progress([{ ...refused, reason: 'NotRestored' }], back, {}).type).toBe('refused');
  });

  it('goes back one of several changes by setting the one before', () => {
    const earlier = { robot: { policy: 'policy-uid', GOGC: { from: '10', to: '50' } } };
    const step = { ...back, after: '50' };
    expect(progress([applied], step, earlier).type).toBe('underway');
    expect(progress([{ ...applied, gogc: 50 }], step, earlier)).toEqual({ type: 'settled' });
  });
});
