import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ActionRecord, IncidentStatus, Phase } from '../../../api/index.ts';
import { PHASES } from '../../../api/index.ts';
import type { Breaker } from '../../../remedy/index.ts';
import {
  foundWorkload,
  incidentWith,
  iso,
  policyWith,
  rolloutRecord,
  summary,
  T0,
  viewWith,
  windowAt,
  workloadWithGogc,
} from '../testing.ts';
import type { Step } from '../view.ts';
import { decide, judged } from './index.ts';

const diagnosis = { cause: 'GogcTooLow', summary: 'GOGC 10 is too low.', confidence: 0.9, evidence: ['20 % GC'] };
const action: ActionRecord = rolloutRecord;
const openBreaker: Breaker = {
  type: 'open',
  because: 'breached',
  workloads: 10,
  limit: 10,
  windowMs: 600_000,
  atMs: T0,
  untilMs: T0 + 600_000,
};
const back = (result: ActionRecord['result']): ActionRecord => ({
  ...action,
  kind: 'Rollback',
  undoes: 'Rollout',
  before: '100',
  after: '10',
  result,
});
const wide = { gogc: { min: 25, max: 400, maxStep: '900%' } };
const fresh = [windowAt(9000, 0.2, 10), windowAt(10_000, 0.2, 10)];

function advance(step: Step): Partial<IncidentStatus> {
  if (step.type !== 'advance') throw new Error(`expected the status to advance, got ${JSON.stringify(step)}`);
  return step.status;
}

describe('an incident', () => {
  it('is taken up with the time that detection took', () => {
    const status = advance(decide(viewWith(), T0 + 3000));
    expect(status).toMatchObject({ phase: 'Detected', times: { detectMs: 2000 } });
  });

  it('waits for its evidence, and is sealed once that has arrived', () => {
    const incident = incidentWith({ phase: 'Detected' });
    expect(decide(viewWith({ incident }), T0 + 5000).type).toBe('wait');
    expect(decide(viewWith({ incident, bundle: 'received' }), T0 + 5000)).toEqual({ type: 'effect', effect: 'seal' });
  });

  it('is handed to people when no evidence arrives', () => {
    const incident = incidentWith({ phase: 'Detected' });
    expect(advance(decide(viewWith({ incident }), T0 + 600_000)).phase).toBe('Escalated');
  });

  it('records the action, with the value before it, before anything is touched', () => {
    const incident = incidentWith({ phase: 'Diagnosed', diagnosis, verification: { before: summary } });
    const view = viewWith({ incident, policy: policyWith({}, wide), before: fresh });
    const status = advance(decide(view, T0 + 10_500));
    expect(status.phase).toBe('Acting');
    expect(status.actions).toEqual([{ ...action, at: iso(10_500), result: 'Pending' }]);
  });

  it('recommends a patch instead of acting where the policy, the operator or the workload say so', () => {
    const incident = incidentWith({ phase: 'Diagnosed', diagnosis, verification: { before: summary } });
    const cases = [
      viewWith({ incident, policy: policyWith({ mode: 'Recommend' }, wide), before: fresh }),
      viewWith({ incident, policy: policyWith({}, wide), before: fresh, observeOnly: true }),
      viewWith({ incident, policy: policyWith({}, wide), before: fresh, workload: { ...foundWorkload, paused: true } }),
    ];
    for (const view of cases) {
      const status = advance(decide(view, T0 + 10_500));
      expect(status.phase).toBe('Observed');
      expect(status.plan?.patch).toContain('value: "100"');
      expect(status.actions).toBeUndefined();
    }
  });

  it('is held back by a guardrail for a while, then handed to people', () => {
    const incident = incidentWith({ phase: 'Diagnosed', diagnosis, verification: { before: summary } });
    const view = viewWith({ incident, policy: policyWith({}, wide), before: fresh, busyWith: 'dispatch-0' });
    const status = advance(decide(view, T0 + 10_500));
    expect(status.phase).toBeUndefined();
    expect(status.plan?.blockedBy?.join()).toContain('dispatch-0');
    const late = [windowAt(700_000, 0.2, 10)];
    expect(advance(decide({ ...view, before: late }, T0 + 700_500)).phase).toBe('Escalated');
  });

  it('applies a pending action, again after a crash, and then waits for the rollout', () => {
    const acting = (result: ActionRecord['result']) =>
      incidentWith({ phase: 'Acting', actions: [{ ...action, result }], verification: { before: summary } });
    expect(decide(viewWith({ incident: acting('Pending') }), T0 + 11_000)).toEqual({ type: 'effect', effect: 'apply' });
    const rolling = workloadWithGogc('100', { rollout: { state: 'progressing', sentence: 'one of two pods is new' } });
    expect(decide(viewWith({ incident: acting('Applied'), workload: rolling }), T0 + 12_000).type).toBe('wait');
    const settled = workloadWithGogc('100');
    const status = advance(decide(viewWith({ incident: acting('Applied'), workload: settled }), T0 + 20_000));
    expect(status).toMatchObject({ phase: 'Verifying', verification: { startedAt: iso(20_000) } });
  });

  it('goes to people once more memory has bought time for a leak, and what was changed stays', () => {
    const applied: ActionRecord = { ...action, result: 'Applied' };
    const leaking = incidentWith({
      phase: 'Acting',
      cause: 'Leak',
      actions: [applied],
      verification: { before: summary },
    });
    const { phase, message, actions } = advance(
      decide(viewWith({ incident: leaking, workload: workloadWithGogc('100') }), T0 + 20_000),
    );
    expect(phase).toBe('Escalated');
    expect(message).toContain('buys time; Leak is left for people');
    expect(actions?.map(({ kind, result }) => [kind, result])).toEqual([['Rollout', 'Completed']]);
  });

  it('stops at the last moment when acting was switched off, with nothing changed', () => {
    const pending = incidentWith({
      phase: 'Acting',
      actions: [{ ...action, result: 'Pending' }],
      verification: { before: summary },
    });
    const off = [
      viewWith({ incident: pending, observeOnly: true }),
      viewWith({ incident: pending, workload: { ...foundWorkload, paused: true } }),
      viewWith({ incident: pending, policy: policyWith({ mode: 'Observe' }) }),
      viewWith({ incident: pending, policy: undefined }),
      viewWith({ incident: pending, breaker: openBreaker }),
    ];
    for (const view of off) expect(advance(decide(view, T0 + 11_000)).phase).toBe('Observed');
  });

  it('is told once that a guardrail holds it back, not at every change of a number', () => {
    const held = incidentWith({
      phase: 'Diagnosed',
      diagnosis,
      verification: { before: summary },
      plan: {
        kind: 'Rollout',
        reason: 'r',
        blockedBy: ['StaleSignals: the newest window is 5000 ms old, more than 4000 ms'],
      },
    });
    const view = viewWith({ incident: held, policy: policyWith({}, wide), before: fresh });
    expect(decide(view, T0 + 17_000).type).toBe('wait');
  });

  it('does not roll back over a value that someone else set meanwhile', () => {
    const incident = incidentWith({
      phase: 'Acting',
      actions: [action, back('Pending')],
      verification: { before: summary },
    });
    const status = advance(decide(viewWith({ incident, workload: workloadWithGogc('70') }), T0 + 12_000));
    expect(status).toMatchObject({ phase: 'Escalated', message: expect.stringContaining('70') });
  });

  it('leaves the workload to whoever changed it meanwhile', () => {
    const incident = incidentWith({ phase: 'Acting', actions: [action], verification: { before: summary } });
    const status = advance(decide(viewWith({ incident, workload: workloadWithGogc('70') }), T0 + 12_000));
    expect(status).toMatchObject({ phase: 'Escalated', message: expect.stringContaining('70') });
  });

  it('rolls a failed rollout back to the value before the first step', () => {
    const steps = [
      { ...action, after: '20', result: 'Completed' as const },
      { ...action, before: '20', after: '40' },
    ];
    const incident = incidentWith({ phase: 'Acting', actions: steps, verification: { before: summary } });
    const workload = workloadWithGogc('40', { rollout: { state: 'failed', sentence: 'one of two pods is new' } });
    const status = advance(decide(viewWith({ incident, workload }), T0 + 12_000));
    expect(status.actions?.at(-1)).toMatchObject({
      kind: 'Rollback',
      undoes: 'Rollout',
      before: '40',
      after: '10',
      result: 'Pending',
    });
  });
});

describe('a way that was refused', () => {
  const refused: ActionRecord = { ...action, kind: 'Live', result: 'Failed', message: 'the process sets GOGC itself' };
  const acting = (actions: ActionRecord[]) =>
    incidentWith({ phase: 'Acting', diagnosis, actions, verification: { before: summary } });
  const view = (actions: ActionRecord[], apply: string[]) =>
    viewWith({ incident: acting(actions), policy: policyWith({ apply }, wide), before: fresh });

  it('is left out, and the next one of the policy is taken', () => {
    const status = advance(decide(view([refused], ['Live', 'Rollout']), T0 + 10_500));
    expect(status.actions).toMatchObject([
      { kind: 'Live', result: 'Failed' },
      { kind: 'Rollout', before: '10', after: '100', result: 'Pending' },
    ]);
  });

  it('hands the incident to people with its reason when there is no other', () => {
    const status = advance(decide(view([refused], ['Live']), T0 + 10_500));
    expect(status).toMatchObject({ phase: 'Escalated', message: expect.stringContaining('sets GOGC itself') });
  });

  it('leaves no trace before the next one is tried', () => {
    const gone = workloadWithGogc('10');
    const withdrawn = { ...back('Applied'), undoes: 'Rollout' as const };
    const actions: ActionRecord[] = [{ ...action, result: 'Failed', message: 'no quota' }, withdrawn];
    const completed = advance(decide({ ...view(actions, ['Rollout']), workload: gone }, T0 + 10_500));
    expect(completed).toMatchObject({ phase: 'Acting', actions: [{}, { kind: 'Rollback', result: 'Completed' }] });
    const incident = acting(completed.actions ?? []);
    const last = advance(decide({ ...view([], ['Rollout']), incident, workload: gone }, T0 + 10_600));
    expect(last).toMatchObject({ phase: 'Escalated', message: expect.stringContaining('no quota') });
  });
});

describe('a verification', () => {
  const verifying = (plan?: IncidentStatus['plan']) =>
    incidentWith({
      phase: 'Verifying',
      actions: [{ ...action, result: 'Completed' }],
      diagnosis,
      verification: { before: summary, startedAt: iso(20_000) },
      ...(plan ? { plan } : {}),
    });
  const before = Array.from({ length: 15 }, (_, i) => windowAt(i * 1000, 0.2 + (i % 3) / 100, 10));
  const windowsAfter = (share: number, gogc = 100) =>
    Array.from({ length: 15 }, (_, i) => windowAt(26_000 + i * 1000, share + (i % 3) / 1000, gogc));
  const end = T0 + 41_000;
  const healed = workloadWithGogc('100');

  it('waits for a fresh stretch as long as the policy says', () => {
    expect(decide(viewWith({ incident: verifying(), workload: healed }), T0 + 30_000).type).toBe('wait');
    expect(decide(viewWith({ incident: verifying(), workload: healed }), end)).toEqual({
      type: 'effect',
      effect: 'judge',
    });
  });

  it('resolves the incident when the signal is under its limit, with numbers and time to heal', () => {
    const view = viewWith({ incident: verifying(), workload: healed, after: windowsAfter(0.02) });
    const status = advance(judged(view, policyWith(), before, end));
    expect(status).toMatchObject({ phase: 'Resolved', times: { healMs: 39_000 }, verification: { verdict: 'Better' } });
    expect(status.verification?.after?.gogc).toBe(100);
  });

  it('restores the value before when it did not help', () => {
    const view = viewWith({ incident: verifying(), workload: healed, after: windowsAfter(0.2) });
    const status = advance(judged(view, policyWith(), before, end));
    expect(status.phase).toBe('Acting');
    expect(status.actions?.at(-1)).toMatchObject({ kind: 'Rollback', after: '10' });
    expect(status.verification?.verdict).toBe('NotBetter');
  });

  it('escalates instead where the policy forbids rolling back', () => {
    const policy = policyWith({ verify: { after: '5s', window: '15s', rollback: false } });
    const view = viewWith({ incident: verifying(), policy, workload: healed, after: windowsAfter(0.2) });
    expect(advance(judged(view, policy, before, end)).phase).toBe('Escalated');
  });

  it('takes the next step when only the step limit kept it short of its target', () => {
    const plan = { kind: 'Rollout' as const, reason: 'step', to: '20', clampedBy: ['maxStep'] };
    const workload = workloadWithGogc('20');
    const view = viewWith({ incident: verifying(plan), workload, after: windowsAfter(0.1, 20) });
    const status = advance(judged(view, policyWith(), before, end));
    expect(status.phase).toBe('Acting');
    expect(status.actions?.at(-1)).toMatchObject({ kind: 'Rollout', before: '20', after: '40', result: 'Pending' });
  });

  it('is patient with late windows, then takes inconclusive for not helped', () => {
    const view = viewWith({ incident: verifying(), workload: healed, after: [] });
    expect(judged(view, policyWith(), before, end).type).toBe('wait');
    const status = advance(judged(view, policyWith(), before, end + 200_000));
    expect(status.verification?.verdict).toBe('Inconclusive');
    expect(status.actions?.at(-1)?.kind).toBe('Rollback');
  });
});

describe('whatever the state an incident is found in', () => {
  const anyPhase = fc.constantFrom<Phase>(...PHASES);
  const anyResult = fc.constantFrom<ActionRecord['result']>('Pending', 'Applied', 'Completed', 'Failed');

  it('a final phase is never left, and every other state leads to a step', () => {
    fc.assert(
      fc.property(anyPhase, anyResult, fc.boolean(), fc.nat(1_000_000), (phase, result, hasPolicy, afterMs) => {
        const incident = incidentWith({ phase, actions: [{ ...action, result }] });
        const view = viewWith({ incident, policy: hasPolicy ? policyWith() : undefined });
        const step = decide(view, T0 + afterMs);
        const final = ['Resolved', 'RolledBack', 'Escalated', 'Observed'].includes(phase);
        expect(step.type === 'done').toBe(final);
      }),
    );
  });

  it('nothing is applied unless it stands in the status as pending', () => {
    fc.assert(
      fc.property(anyPhase, anyResult, fc.nat(1_000_000), (phase, result, afterMs) => {
        const incident = incidentWith({ phase, actions: [{ ...action, result }], verification: { before: summary } });
        const step = decide(viewWith({ incident }), T0 + afterMs);
        if (step.type === 'effect' && step.effect === 'apply') expect([phase, result]).toEqual(['Acting', 'Pending']);
      }),
    );
  });
});
