import { describe, expect, it } from 'vitest';
import type { ActionRecord } from '../../../api/index.ts';
import { podOf, workloadOf } from '../../workloads/testing.ts';
import { type foundWorkload, iso, rolloutRecord, T0, viewWith, workloadWithGogc } from '../testing.ts';
import { rollout } from './rollout.ts';

const action: ActionRecord = { ...rolloutRecord, at: iso(0) };
const underway = { state: 'progressing', sentence: '1 of 3 pods are new' } as const;
const env = [{ name: 'robot', env: [{ name: 'GOGC', value: '100' }] }];
const progress = (workload: typeof foundWorkload, change: Partial<ActionRecord> = {}, minutes = 1) =>
  rollout.progress(viewWith(), workload, { ...action, ...change }, T0 + minutes * 60_000);

describe('a rollout', () => {
  it('has not begun while the value before stands', () => {
    expect(progress(workloadWithGogc('10'), { result: 'Pending' })).toEqual({ type: 'before' });
  });

  it('is left to whoever set another value meanwhile', () => {
    expect(progress(workloadWithGogc('70'))).toEqual({ type: 'meanwhile', sentence: expect.stringContaining('70') });
  });

  it('is under way, with the numbers, until every pod is new', () => {
    expect(progress(workloadWithGogc('100', { rollout: underway }))).toEqual({
      type: 'underway',
      reason: underway.sentence,
    });
    expect(progress(workloadWithGogc('100'))).toEqual({ type: 'settled' });
  });

  it('failed when the controller gave up', () => {
    const late = { state: 'failed', sentence: 'too late' } as const;
    expect(progress(workloadWithGogc('100', { rollout: late }))).toEqual({
      type: 'failed',
      why: expect.stringContaining('too late'),
    });
  });

  it('failed when a new pod is broken, and not when an old one is', () => {
    const containerStatuses = [{ name: 'robot', state: { waiting: { reason: 'CrashLoopBackOff' } } }];
    const broken = podOf('new', { ready: false, containers: env, containerStatuses });
    const old = podOf('old', { ready: false, containerStatuses });
    const { type } = progress(workloadWithGogc('100', { rollout: underway, pods: [old] }));
    expect(type).toBe('underway');
    expect(progress(workloadWithGogc('100', { rollout: underway, pods: [old, broken] }))).toEqual({
      type: 'failed',
      why: expect.stringContaining('new pod new: container robot: CrashLoopBackOff'),
    });
  });

  it('failed when no new pod was made for ten minutes, however many there are to be made', () => {
    const made = (minutes: number) =>
      podOf('new', { ready: false, containers: env, metadata: { creationTimestamp: iso(minutes * 60_000) } });
    expect(progress(workloadWithGogc('100', { rollout: underway, pods: [made(45)] }), {}, 50).type).toBe('underway');
    expect(progress(workloadWithGogc('100', { rollout: underway, pods: [made(35)] }), {}, 50)).toEqual({
      type: 'failed',
      why: expect.stringContaining('no new pod for 15 minutes, 1 of 3 pods are new'),
    });
  });
});

it('after a canary, the others are not begun while the partition holds them back', () => {
  const owning = { 'f:spec': { 'f:updateStrategy': { 'f:rollingUpdate': { 'f:partition': {} } } } };
  const object = workloadOf('StatefulSet', {
    metadata: { managedFields: [{ manager: 'robotgc-remedy', operation: 'Apply', fieldsV1: owning }] },
    spec: { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } },
  });
  const workload = workloadWithGogc('100', { object });
  expect(progress(workload, { canary: true })).toEqual({ type: 'settled' });
  expect(progress(workload, { result: 'Pending' })).toEqual({ type: 'before' });
});
