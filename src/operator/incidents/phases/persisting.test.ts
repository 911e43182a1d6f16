/** A memory limit that was raised in place and verified, on its way into the owner's template. */
import { describe, expect, it } from 'vitest';
import type { ActionRecord, IncidentStatus } from '../../../api/index.ts';
import { podDisruptionBudgets } from '../../../kube/index.ts';
import { NO_NEIGHBOURS } from '../../workloads/neighbours.ts';
import { workloadOf } from '../../workloads/testing.ts';
import { foundWorkload, incidentWith, iso, policyWith, summary, T0, viewWith, windowAt } from '../testing.ts';
import type { IncidentView, Step } from '../view.ts';
import type { FoundWorkload } from '../workload.ts';
import { decide, judged } from './index.ts';
import { rollingBack } from './restoring.ts';

const resize: ActionRecord = {
  ...{ kind: 'Resize', owner: foundWorkload.owner, container: 'robot', knob: 'MemoryLimit' },
  ...{ before: '512Mi', after: '640Mi', at: iso(10_000), result: 'Completed' },
};
const write: ActionRecord = { ...resize, kind: 'Rollout', persists: true, at: iso(41_000), result: 'Pending' };
const verification = { before: summary, after: summary, reason: 'It is better.', endedAt: iso(41_000) };
const persist = policyWith({ apply: ['Resize'], persist: true });

/** The template has that limit. */
function template(limit: string, over: Partial<FoundWorkload> = {}): FoundWorkload {
  const settings = { ...foundWorkload.settings, MemoryLimit: { setting: limit, fromRef: false } };
  return { ...foundWorkload, settings, ...over };
}

function viewOf(record: Partial<ActionRecord>, workload: FoundWorkload, over: Partial<IncidentView> = {}) {
  const actions = [resize, { ...write, ...record }];
  const incident = incidentWith({ phase: 'Acting', actions, verification });
  return viewWith({ incident, policy: persist, workload, before: [windowAt(41_500, 0.02, 100)], ...over });
}

function advance(step: Step): Partial<IncidentStatus> {
  if (step.type !== 'advance') throw new Error(`expected the status to advance, got ${JSON.stringify(step)}`);
  return step.status;
}
const at = (ms: number) => T0 + ms;

describe('a limit that is verified in place', () => {
  const before = Array.from({ length: 15 }, (_, i) => windowAt(i * 1000, 0.2 + (i % 3) / 100, 10));
  const after = Array.from({ length: 15 }, (_, i) => windowAt(26_000 + i * 1000, 0.02 + (i % 3) / 1000, 10));
  const incident = incidentWith({
    phase: 'Verifying',
    actions: [resize],
    verification: { before: summary, startedAt: iso(20_000) },
  });
  const verified = (policy = persist, limit = '512Mi') =>
    advance(judged(viewWith({ incident, policy, workload: template(limit), after }), policy, before, at(41_000)));

  it('is to be written to the template, which stands in the record before it is done', () => {
    expect(verified()).toMatchObject({
      phase: 'Acting',
      verification: { verdict: 'Better', endedAt: iso(41_000) },
      actions: [resize, { ...write, before: '512Mi', after: '640Mi' }],
    });
  });

  it('ends the incident where the policy does not say so, or the template has it already', () => {
    expect(verified(policyWith({ apply: ['Resize'] })).phase).toBe('Resolved');
    expect(verified(persist, '640Mi').phase).toBe('Resolved');
  });
});

describe('the write to the template', () => {
  it('is made, and made again after a crash, and then its rollout is waited for', () => {
    const apply = { type: 'effect', effect: 'apply' };
    expect(decide(viewOf({}, template('512Mi')), at(42_000))).toEqual(apply);
    expect(decide(viewOf({}, template('640Mi')), at(42_000))).toEqual(apply);
    const rolling = template('640Mi', { rollout: { state: 'progressing', sentence: '1 of 3 pods are new' } });
    expect(decide(viewOf({ result: 'Applied' }, rolling), at(42_000))).toMatchObject({
      type: 'wait',
      reason: '1 of 3 pods are new',
    });
  });

  it('resolves the incident once it is rolled out; the time to heal is that of the verification', () => {
    const done = advance(decide(viewOf({ result: 'Applied' }, template('640Mi')), at(99_000)));
    expect(done).toMatchObject({ phase: 'Resolved', times: { healMs: 39_000 } });
    expect(done.actions).toMatchObject([{ kind: 'Resize' }, { persists: true, result: 'Completed' }]);
    expect(done.message).toBe('It is better. MemoryLimit 512Mi → 640Mi on Deployment dispatch stands in its template.');
  });

  it('rolls nothing where pods are replaced only when somebody deletes them', () => {
    const object = workloadOf('StatefulSet', { spec: { updateStrategy: { type: 'OnDelete' } } });
    const onDelete = (limit: string) =>
      template(limit, { object, rollout: { state: 'progressing', sentence: '0 of 3 pods are new' } });
    const settled = { rollout: { state: 'settled', sentence: '' } } as const;
    expect(decide(viewOf({}, { ...onDelete('512Mi'), ...settled }), at(42_000)).type).toBe('effect');
    expect(advance(decide(viewOf({ result: 'Applied' }, onDelete('640Mi')), at(42_000))).phase).toBe('Resolved');
  });

  it.each<[string, Partial<IncidentView>, RegExp]>([
    ['the policy’s mode changed', { policy: policyWith({ mode: 'Observe', persist: true }) }, /Mode: /],
    ['somebody paused the workload', { workload: template('512Mi', { paused: true }) }, /Paused: /],
    [
      'its Deployment is paused',
      { workload: template('512Mi', { object: workloadOf('Deployment', { spec: { paused: true } }) }) },
      /No rollout: Deployment dispatch is paused/,
    ],
    ['somebody set another limit there', { workload: template('700Mi') }, /Someone set MemoryLimit to 700Mi/],
    ['the policy is gone', { policy: undefined }, /The policy was deleted/],
  ])('is left where %s: what is verified stays, and the incident says what is missing', (_, over, why) => {
    const status = advance(decide(viewOf({}, template('512Mi'), over), at(42_000)));
    expect(status.phase).toBe('Resolved');
    expect(status.message).toMatch(/^It is better\. MemoryLimit 512Mi → 640Mi .* is not in its template, later pods/);
    expect(status.message).toMatch(why);
    expect(status.actions?.at(-1)).toMatchObject({ persists: true, result: 'Failed' });
  });

  it('is left where the server refused it, with its words', () => {
    const refused = viewOf({ result: 'Failed', message: 'owned by argocd' }, template('512Mi'));
    expect(advance(decide(refused, at(42_000))).message).toContain('later pods have the old one: owned by argocd');
  });

  it('waits for guardrails that pass, ten minutes long', () => {
    const budgets = [
      podDisruptionBudgets.parse({
        metadata: { name: 'keep', namespace: 'robots', uid: 'u', resourceVersion: '1' },
        spec: { selector: { matchLabels: { app: 'dispatch' } } },
        status: { disruptionsAllowed: 0, currentHealthy: 3, desiredHealthy: 3 },
      }),
    ];
    const object = workloadOf('StatefulSet');
    const blocked = template('512Mi', { object, neighbours: { ...NO_NEIGHBOURS, budgets } });
    const view = (endMs: number) => viewOf({}, blocked, { before: [windowAt(endMs, 0.02, 100)] });
    expect(decide(view(42_000), at(42_500))).toMatchObject({
      type: 'wait',
      reason: expect.stringContaining('PodDisruptionBudget'),
    });
    expect(advance(decide(view(642_000), at(642_500)))).toMatchObject({ phase: 'Resolved' });
  });

  it('takes everything back where its rollout fails: the template first, then what was done in place', () => {
    const failed = template('640Mi', { rollout: { state: 'failed', sentence: 'its progress deadline passed' } });
    const back = advance(decide(viewOf({ result: 'Applied' }, failed), at(42_000)));
    expect(back).toMatchObject({ phase: 'Acting' });
    const rollback = back.actions?.at(-1);
    expect(rollback).toMatchObject({ kind: 'Rollback', undoes: 'Rollout', before: '640Mi', after: '512Mi' });
    expect(rollback).not.toHaveProperty('persists');
    const actions = [
      resize,
      { ...write, result: 'Applied' as const },
      { ...write, ...rollback, result: 'Applied' as const },
    ];
    const incident = incidentWith({ phase: 'Acting', actions, verification });
    const restored = advance(decide(viewWith({ incident, policy: persist, workload: template('512Mi') }), at(60_000)));
    const last = restored.actions?.at(-1);
    expect(last).toMatchObject({ kind: 'Rollback', undoes: 'Resize', after: '512Mi' });

    const undone = { ...resize, ...last, result: 'Applied' as const };
    const both = [...(restored.actions ?? []).slice(0, -1), undone];
    const whole = viewWith({
      incident: incidentWith({ phase: 'Acting', actions: both, verification }),
      policy: persist,
    });
    expect(advance(rollingBack(whole, undone, { type: 'settled' }, at(70_000)))).toMatchObject({
      phase: 'RolledBack',
      message: expect.stringMatching(/^MemoryLimit is 512Mi again: the rollout failed/),
    });
  });
});
