/** A policy that is deleted while its incident is under way: what was changed in its name and not yet judged goes back. */
import { describe, expect, it } from 'vitest';
import type { ActionRecord, IncidentStatus } from '../../../api/index.ts';
import {
  foundWorkload,
  incidentWith,
  iso,
  policyWith,
  rolloutRecord,
  summary,
  T0,
  viewWith,
  workloadWithGogc,
} from '../testing.ts';
import type { Step } from '../view.ts';
import type { FoundWorkload } from '../workload.ts';
import { decide } from './index.ts';

const change: ActionRecord = { ...rolloutRecord, result: 'Completed' };
const back: ActionRecord = { ...change, kind: 'Rollback', undoes: 'Rollout', before: '100', after: '10' };
const room: ActionRecord = { ...change, kind: 'Resize', knob: 'MemoryLimit', before: '512Mi', after: '640Mi' };
const live: ActionRecord = { ...change, kind: 'Live' };
const healed = workloadWithGogc('100');
const underway = workloadWithGogc('100', { rollout: { state: 'progressing', sentence: 'one of two pods is new' } });

function next(
  status: IncidentStatus,
  workload: FoundWorkload,
  policy: ReturnType<typeof policyWith> | undefined,
): Step {
  const incident = incidentWith({ verification: { before: summary, startedAt: iso(20_000) }, ...status });
  return decide(viewWith({ incident, workload, policy }), T0 + 21_000);
}

function statusAfter(status: IncidentStatus, workload: FoundWorkload, policy?: ReturnType<typeof policyWith>) {
  const step = next(status, workload, policy);
  if (step.type !== 'advance') throw new Error(`expected the status to advance, got ${JSON.stringify(step)}`);
  return step.status;
}

describe('a policy that is deleted', () => {
  it.each([
    ['while its change is verified', { phase: 'Verifying', actions: [change] }, healed],
    ['while its change spreads', { phase: 'Acting', actions: [{ ...change, result: 'Applied' }] }, underway],
    ['right after its change was made', { phase: 'Acting', actions: [{ ...change, result: 'Pending' }] }, underway],
  ] satisfies [string, IncidentStatus, FoundWorkload][])('%s: it goes back', (_when, status, workload) => {
    expect(statusAfter(status, workload)).toMatchObject({
      phase: 'Acting',
      actions: [
        { kind: 'Rollout', before: '10', after: '100' },
        { kind: 'Rollback', undoes: 'Rollout', before: '100', after: '10', result: 'Pending' },
      ],
    });
  });

  it('before anything was changed: nothing is', () => {
    const pending: ActionRecord = { ...change, result: 'Pending' };
    expect(statusAfter({ phase: 'Acting', actions: [pending] }, workloadWithGogc('10')).phase).toBe('Observed');
  });

  it('while its incident rolls back: the way back is gone to its end', () => {
    const rollingBack = (result: ActionRecord['result']): IncidentStatus => ({
      phase: 'Acting',
      actions: [change, { ...back, result }],
    });
    expect(next(rollingBack('Pending'), healed, undefined)).toEqual({ type: 'effect', effect: 'apply' });
    expect(statusAfter(rollingBack('Applied'), workloadWithGogc('10'))).toMatchObject({ phase: 'RolledBack' });
  });

  it('once room was made, and before what it was made for was begun: the room goes back', () => {
    const actions: ActionRecord[] = [{ ...room, makesRoomFor: 'GOGC' }];
    const wayBack = { kind: 'Rollback', undoes: 'Resize', knob: 'MemoryLimit', before: '640Mi', after: '512Mi' };
    expect(statusAfter({ phase: 'Acting', actions }, foundWorkload).actions).toMatchObject([room, wayBack]);
    const begun: ActionRecord[] = [...actions, { ...live, result: 'Pending' }];
    expect(statusAfter({ phase: 'Acting', actions: begun }, foundWorkload).actions).toMatchObject([room, wayBack]);
  });

  it('whose wish the operator took away with it: that is nobody else’s change', () => {
    const actions: ActionRecord[] = [{ ...live, result: 'Applied' }];
    expect(statusAfter({ phase: 'Acting', actions }, foundWorkload).actions?.at(-1)).toMatchObject({
      kind: 'Rollback',
      undoes: 'Live',
      after: '10',
    });
  });

  it('and said to keep what was set live: the incident says that it stays, and is for people', () => {
    const kept: ActionRecord = { ...live, onDelete: 'Keep' };
    const wayBack: ActionRecord = { ...kept, kind: 'Rollback', undoes: 'Live', before: '100', after: '10' };
    const cases: IncidentStatus[] = [
      { phase: 'Verifying', actions: [kept] },
      { phase: 'Acting', actions: [kept, { ...wayBack, result: 'Applied' }] },
    ];
    for (const status of cases) {
      const { phase, message } = statusAfter(status, foundWorkload);
      expect([phase, message]).toEqual(['Escalated', expect.stringContaining('GOGC stays 100, unverified')]);
    }
  });
});

describe('acting that is switched off between two changes of one incident', () => {
  const actions: ActionRecord[] = [
    { ...room, makesRoomFor: 'GOGC' },
    { ...live, result: 'Pending' },
  ];

  it('takes back the room that was made', () => {
    const status = statusAfter({ phase: 'Acting', actions }, foundWorkload, policyWith({ mode: 'Observe' }));
    expect(status.actions).toMatchObject([room, { kind: 'Rollback', knob: 'MemoryLimit', after: '512Mi' }]);
  });

  it('leaves it, for people, where the policy says not to roll back', () => {
    const policy = policyWith({ mode: 'Observe', verify: { rollback: false } });
    expect(statusAfter({ phase: 'Acting', actions }, foundWorkload, policy)).toMatchObject({ phase: 'Escalated' });
  });
});
