import { describe, expect, it } from 'vitest';
import type { ActionRecord, IncidentStatus } from '../../../api/index.ts';
import { workloadOf } from '../../workloads/testing.ts';
import {
  foundWorkload,
  incidentWith,
  iso,
  policyWith,
  summary,
  T0,
  viewWith,
  windowAt,
  workloadWithGogc,
} from '../testing.ts';
import type { IncidentView, Step } from '../view.ts';
import { decide, judged } from './index.ts';

const policy = policyWith({ canary: true }, { gogc: { min: 25, max: 400, maxStep: '900%' } });
const diagnosis = { cause: 'GogcTooLow', summary: 'GOGC 10 is too low.', confidence: 0.9, evidence: ['20 % GC'] };
const owner = { ...foundWorkload.owner, kind: 'StatefulSet' };
const stateful = (gogc: string, replicas = 3) =>
  workloadWithGogc(gogc, { owner, object: workloadOf('StatefulSet', { spec: { replicas } }) });
const canary: ActionRecord = {
  kind: 'Rollout',
  owner,
  container: 'robot',
  knob: 'GOGC',
  before: '10',
  after: '100',
  canary: true,
  at: iso(10_000),
  result: 'Completed',
};
const { canary: _, ...whole } = canary;

function advance(step: Step): Partial<IncidentStatus> {
  if (step.type !== 'advance') throw new Error(`expected the status to advance, got ${JSON.stringify(step)}`);
  return step.status;
}
const planned = (workload: IncidentView['workload']) => {
  const incident = incidentWith({ phase: 'Diagnosed', diagnosis, verification: { before: summary } });
  const before = [windowAt(9000, 0.2, 10), windowAt(10_000, 0.2, 10)];
  return advance(decide(viewWith({ incident, policy, before, workload }), T0 + 10_500));
};

describe('with canary: true', () => {
  it('a StatefulSet is changed by one pod first, unless it has but one', () => {
    expect(planned(stateful('10')).actions).toMatchObject([{ kind: 'Rollout', canary: true, result: 'Pending' }]);
    expect(planned(stateful('10', 1)).actions?.[0]).not.toHaveProperty('canary');
  });

  it('a Deployment of several pods is not rolled out, and the incident says why', () => {
    const status = planned({ ...foundWorkload, object: workloadOf('Deployment') });
    expect(status.phase).toBe('Escalated');
    expect(status.message).toContain('canary');
  });
});

describe('when one pod is verified', () => {
  const before = Array.from({ length: 15 }, (_, i) => windowAt(i * 1000, 0.2 + (i % 3) / 100, 10));
  const windowsOf = (share: number) =>
    Array.from({ length: 15 }, (_, i) => windowAt(26_000 + i * 1000, share + (i % 3) / 1000, 100));
  const verifying = incidentWith({
    phase: 'Verifying',
    actions: [canary],
    diagnosis,
    verification: { before: summary, startedAt: iso(20_000) },
  });

  it('the others follow when it is better, and it is taken back when it is not', () => {
    const view = viewWith({ incident: verifying, policy, workload: stateful('100'), after: windowsOf(0.02) });
    const status = advance(judged(view, policy, before, T0 + 41_000));
    expect(status).toMatchObject({
      phase: 'Acting',
      actions: [canary, { ...whole, at: iso(41_000), result: 'Pending' }],
    });
    const worse = advance(judged({ ...view, after: windowsOf(0.2) }, policy, before, T0 + 41_000));
    expect(worse.actions?.at(-1)).toMatchObject({ kind: 'Rollback', before: '100', after: '10' });
    expect(worse.actions?.at(-1)).not.toHaveProperty('canary');
  });

  it('it is taken back when acting is switched off before the others followed', () => {
    const actions = [canary, { ...whole, result: 'Pending' as const }];
    const incident = incidentWith({ phase: 'Acting', actions, verification: { before: summary } });
    const owning = { 'f:spec': { 'f:updateStrategy': { 'f:rollingUpdate': { 'f:partition': {} } } } };
    const object = workloadOf('StatefulSet', {
      metadata: { managedFields: [{ manager: 'robotgc-remedy', operation: 'Apply', fieldsV1: owning }] },
      spec: { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } },
    });
    const view = viewWith({
      incident,
      policy: policyWith({ mode: 'Observe' }),
      workload: workloadWithGogc('100', { owner, object }),
    });
    expect(advance(decide(view, T0 + 42_000)).actions?.at(-1)).toMatchObject({ kind: 'Rollback', after: '10' });
  });
});
