import { describe, expect, it } from 'vitest';
import type { ContainerState } from '../../api/index.ts';
import { incidentWith, iso, policyWith, T0 } from '../incidents/testing.ts';
import { policyStatus } from './status.ts';

const container = (state: ContainerState['state'], extra: Partial<ContainerState> = {}): ContainerState => ({
  pod: 'dispatch-abc',
  container: 'robot',
  node: 'node-1',
  state,
  ...extra,
});

function conditionsOf(status: ReturnType<typeof policyStatus>): Record<string, string> {
  return Object.fromEntries(status.conditions?.map((c) => [c.type, c.status]) ?? []);
}

describe("a policy's status", () => {
  it('shows what was derived from the SLA', () => {
    const { thresholds } = policyStatus(policyWith(), [], false, T0);
    expect(thresholds).toContainEqual(expect.objectContaining({ signal: 'gcStallP99', limit: 30_000_000, unit: 'ns' }));
    expect(thresholds).toContainEqual(expect.objectContaining({ signal: 'gcCpuShare', limit: 0.05, unit: 'ratio' }));
  });

  it('shows the limits that the team set of its own accord, each with its unit, and no others', () => {
    const policy = policyWith();
    const thresholds = { ...policy.spec.thresholds, gcRate: 8, oomKills: 0, heapLive: '512Mi' };
    const shown = policyStatus({ ...policy, spec: { ...policy.spec, thresholds } }, [], false, T0).thresholds ?? [];
    expect(shown).toContainEqual({ signal: 'gcRate', limit: 8, unit: '1/s', formula: 'GC cycles that ended ÷ window' });
    expect(shown).toContainEqual(expect.objectContaining({ signal: 'oomKills', limit: 0, unit: 'count' }));
    expect(shown).toContainEqual(expect.objectContaining({ signal: 'heapLive', limit: 2 ** 29, unit: 'bytes' }));
    expect(shown.map(({ signal }) => signal)).not.toContain('gcPauseMax');
  });

  it('is ready when something is watched, degraded when something is refused', () => {
    const policy = policyWith();
    policy.status.containers = [
      container('Watching'),
      container('Refused', { reason: 'NotGo', message: 'not a Go program' }),
    ];
    const status = policyStatus(policy, [], false, T0);
    expect(status).toMatchObject({ matched: 2, watched: 1, refused: 1 });
    expect(conditionsOf(status)).toMatchObject({ Ready: 'True', Degraded: 'True', Conflict: 'False' });
  });

  it('counts incidents by how they ended', () => {
    const incidents = [
      incidentWith({ phase: 'Verifying' }),
      incidentWith({ phase: 'Resolved' }),
      incidentWith({ phase: 'RolledBack' }),
      incidentWith({ phase: 'Observed' }),
    ];
    const status = policyStatus(policyWith(), incidents, false, T0);
    expect(status.incidents).toEqual({ open: 1, resolved: 1, escalated: 0, rolledBack: 1 });
    expect(conditionsOf(status).Tuning).toBe('True');
  });

  it('says when another manager owns GOGC', () => {
    const incident = incidentWith({
      phase: 'Escalated',
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
        },
      ],
    });
    const conflict = policyStatus(policyWith(), [incident], false, T0).conditions?.find((c) => c.type === 'Conflict');
    expect(conflict).toMatchObject({ status: 'True', message: expect.stringContaining('argocd') });
  });

  it('keeps the time of the last transition', () => {
    const policy = policyWith();
    policy.status = { ...policyStatus(policy, [], false, T0) };
    const later = policyStatus(policy, [], false, T0 + 60_000);
    expect(later.conditions?.every(({ lastTransitionTime }) => lastTransitionTime === iso(0))).toBe(true);
  });
});
