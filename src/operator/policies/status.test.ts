import { describe, expect, it } from 'vitest';
import type { ContainerState } from '../../api/index.ts';
import { foundWorkload, incidentWith, iso, policyWith, T0 } from '../incidents/testing.ts';
import { policyStatus } from './status.ts';

const container = (state: ContainerState['state'], extra: Partial<ContainerState> = {}): ContainerState => ({
  pod: 'dispatch-abc',
  container: 'robot',
  node: 'node-1',
  state,
  ...extra,
});

const acts = { observeOnly: false, breaker: { type: 'closed' } } as const;

function conditionsOf(status: ReturnType<typeof policyStatus>): Record<string, string> {
  return Object.fromEntries(status.conditions?.map((c) => [c.type, c.status]) ?? []);
}

describe("a policy's status", () => {
  it('says that the circuit breaker stops acting, with its numbers and until when', () => {
    const breaker = {
      type: 'open',
      because: 'breached',
      workloads: 12,
      limit: 10,
      windowMs: 600_000,
      atMs: T0,
      untilMs: T0 + 600_000,
    } as const;
    const { conditions } = policyStatus(policyWith(), [], { observeOnly: false, breaker }, T0);
    expect(conditions?.find(({ type }) => type === 'Tuning')).toMatchObject({
      status: 'False',
      reason: 'CircuitBreaker',
      message: expect.stringContaining('12 workloads breached within 600 s, the limit is 10'),
    });
  });

  it('shows what was derived from the SLA', () => {
    const { thresholds } = policyStatus(policyWith(), [], acts, T0);
    expect(thresholds).toContainEqual(expect.objectContaining({ signal: 'gcStallP99', limit: 30_000_000, unit: 'ns' }));
    expect(thresholds).toContainEqual(expect.objectContaining({ signal: 'gcCpuShare', limit: 0.05, unit: 'ratio' }));
  });

  it('shows the limits that the team set of its own accord, each with its unit, and no others', () => {
    const policy = policyWith();
    const thresholds = { ...policy.spec.thresholds, gcRate: 8, oomKills: 0, heapLive: '512Mi' };
    const shown = policyStatus({ ...policy, spec: { ...policy.spec, thresholds } }, [], acts, T0).thresholds ?? [];
    expect(shown).toContainEqual({ signal: 'gcRate', limit: 8, unit: '1/s', formula: 'GC cycles that ended ÷ window' });
    expect(shown).toContainEqual(expect.objectContaining({ signal: 'oomKills', limit: 0, unit: 'count' }));
    expect(shown).toContainEqual(expect.objectContaining({ signal: 'heapLive', limit: 2 ** 29, unit: 'bytes' }));
    expect(shown.map(({ signal }) => signal)).not.toContain('gcPauseMax');
  });

  it('says whose GOMEMLIMIT is stale, also where nothing may be changed', () => {
    const policy = policyWith({ mode: 'Observe' });
    const stale = {
      reason: 'AboveMemoryLimit',
      message: 'GOMEMLIMIT of 200 MiB is above the memory limit of 128 MiB.',
    };
    const told = () => policyStatus(policy, [], acts, T0).conditions?.find(({ type }) => type === 'StaleGoMemLimit');
    policy.status.containers = [container('Watching')];
    expect(told()).toMatchObject({ status: 'False', reason: 'NoneStale' });
    policy.status.containers = [container('Watching', { staleGoMemLimit: { ...stale, reason: 'AboveMemoryLimit' } })];
    expect(told()).toMatchObject({
      status: 'True',
      reason: 'AboveMemoryLimit',
      message: `GOMEMLIMIT of 1 containers is stale, such as dispatch-abc/robot: ${stale.message}`,
    });
  });

  it('says which live heap grows over hours, the quickest first, also where nothing may be changed', () => {
    const policy = policyWith({ mode: 'Observe' });
    const told = () => policyStatus(policy, [], acts, T0).conditions?.find(({ type }) => type === 'SlowLeak');
    policy.status.containers = [container('Watching')];
    expect(told()).toMatchObject({ status: 'False', reason: 'NoneSeen' });
    const leaks = (bytesPerHour: number) => ({ slowLeak: { bytesPerHour, message: `by ${bytesPerHour} an hour` } });
    policy.status.containers = [100, 300, 200].map((pace) => container('Watching', leaks(pace)));
    expect(told()).toMatchObject({
      status: 'True',
      reason: 'LiveHeapGrows',
      message: expect.stringMatching(/^the live heap of 3 containers .* dispatch-abc\/robot: by 300 an hour$/),
    });
  });

  it('is ready when something is watched, degraded when something is refused', () => {
    const policy = policyWith();
    policy.status.containers = [
      container('Watching'),
      container('Refused', { reason: 'NotGo', message: 'not a Go program' }),
    ];
    const status = policyStatus(policy, [], acts, T0);
    expect(status).toMatchObject({ matched: 2, watched: 1, refused: 1 });
    expect(conditionsOf(status)).toMatchObject({ Ready: 'True', Degraded: 'True', Conflict: 'False' });
  });

  it('is degraded where agents do not understand it, with what they say, also when others watch', () => {
    const policy = policyWith();
    policy.status.containers = [container('Watching')];
    const message = 'Unrecognized key: "future" → at spec.tuning';
    policy.status.misunderstoodBy = [{ node: 'node-7', message }];
    expect(policyStatus(policy, [], acts, T0).conditions?.find(({ type }) => type === 'Degraded')).toMatchObject({
      status: 'True',
      reason: 'NotUnderstood',
      message: expect.stringContaining(`upgrade them. Such as node-7: ${message}`),
    });
  });

  it('tells the mean time to heal, and the share that was healed without people', () => {
    const healed = (healMs: number) => incidentWith({ phase: 'Resolved', times: { healMs } });
    const others = [incidentWith({ phase: 'RolledBack' }), incidentWith({ phase: 'Observed' })];
    const incidents = [healed(90_000), healed(150_500), ...others, incidentWith({ phase: 'Acting' })];
    expect(policyStatus(policyWith(), incidents, acts, T0)).toMatchObject({ mttrSeconds: 120.25, autoHealRate: 0.667 });
    const { mttrSeconds, autoHealRate } = policyStatus(policyWith(), [], acts, T0);
    expect([mttrSeconds, autoHealRate]).toEqual([undefined, undefined]);
  });

  it('counts incidents by how they ended', () => {
    const incidents = [
      incidentWith({ phase: 'Verifying' }),
      incidentWith({ phase: 'Resolved' }),
      incidentWith({ phase: 'RolledBack' }),
      incidentWith({ phase: 'Observed' }),
    ];
    const status = policyStatus(policyWith(), incidents, acts, T0);
    expect(status.incidents).toEqual({ open: 1, resolved: 1, escalated: 0, rolledBack: 1 });
    expect(conditionsOf(status).Tuning).toBe('True');
  });

  it('says when another manager owns GOGC', () => {
    const incident = incidentWith({
      phase: 'Escalated',
      plan: { kind: 'None', reason: 'GOGC of container robot is owned by argocd' },
      actions: [
        {
          kind: 'Rollout',
          owner: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'dispatch', uid: 'u' },
          container: 'robot',
          knob: 'GOGC',
          before: '10',
          after: '100',
          at: iso(0),
          result: 'Failed',
          message: 'GOGC of container robot is owned by argocd',
          conflictsWith: ['argocd'],
        },
      ],
    });
    const conflict = policyStatus(policyWith(), [incident], acts, T0).conditions?.find((c) => c.type === 'Conflict');
    expect(conflict).toMatchObject({ status: 'True', message: expect.stringContaining('argocd') });
  });

  it('says when a tool keeps the workload as it is', () => {
    const conflicts = ['Deployment dispatch is kept as Git says by Flux.'];
    const incident = incidentWith({ phase: 'Escalated', plan: { kind: 'None', reason: 'No rollout.', conflicts } });
    const conflict = policyStatus(policyWith(), [incident], acts, T0).conditions?.find((c) => c.type === 'Conflict');
    expect(conflict).toMatchObject({ status: 'True', reason: 'ManagedElsewhere', message: conflicts[0] });
  });

  it('says while continuous tuning changes something, and why', () => {
    const policy = policyWith();
    const { owner, container } = foundWorkload;
    const change = { owner, container, knob: 'GOGC', before: '50', after: '100', at: iso(0) } as const;
    const plan = { kind: 'Live', reason: 'GOGC 100 by the formula for 10000 active robots.' } as const;
    const conditionOf = (result: 'Applied' | 'Completed') => {
      policy.status.tuning = [{ owner, container, plan, at: iso(0), actions: [{ ...change, kind: 'Live', result }] }];
      return policyStatus(policy, [], acts, T0).conditions?.find(({ type }) => type === 'Tuning');
    };
    expect(conditionOf('Applied')).toMatchObject({
      status: 'True',
      reason: 'Continuous',
      message: expect.stringContaining('Deployment dispatch: GOGC 100 by the formula for 10000'),
    });
    expect(conditionOf('Completed')).toMatchObject({ status: 'False', reason: 'Auto' });
  });

  it('keeps the time of the last transition', () => {
    const policy = policyWith();
    policy.status = { ...policyStatus(policy, [], acts, T0) };
    const later = policyStatus(policy, [], acts, T0 + 60_000);
    expect(later.conditions?.every(({ lastTransitionTime }) => lastTransitionTime === iso(0))).toBe(true);
  });
});
