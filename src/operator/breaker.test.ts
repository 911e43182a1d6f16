import { expect, it } from 'vitest';
import { LABEL_WORKLOAD, type RobotGCIncident } from '../api/index.ts';
import { FleetBreaker, fleetEvents } from './breaker.ts';
import { incidentWith, iso, T0 } from './incidents/testing.ts';

const limits = { windowMs: 600_000, breached: 3, rolledBack: 1 };

function incidentOf(workload: string | undefined, namespace = 'robots'): RobotGCIncident {
  const made = incidentWith();
  const labels = workload === undefined ? {} : { [LABEL_WORKLOAD]: workload };
  return { ...made, metadata: { ...made.metadata, namespace, labels } };
}

it('counts breaches of different workloads, by label and namespace', () => {
  const incidents = [incidentOf('a'), incidentOf('a'), incidentOf('a', 'other')];
  const breaker = new FleetBreaker({ list: () => incidents }, limits);
  expect(breaker.at(T0 + 3000).type).toBe('closed');
  incidents.push(incidentOf('b'));
  expect(breaker.at(T0 + 3000)).toMatchObject({ type: 'open', because: 'breached', workloads: 3, limit: 3 });
  expect(breaker.at(T0 + 700_000).type).toBe('closed');
});

it('takes the pod for the workload of an incident that names none', () => {
  expect(fleetEvents(incidentOf(undefined))[0]?.workload).toBe('robots/dispatch-abc');
});

it('counts rollbacks at their own time', () => {
  const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'dispatch', uid: 'u' };
  const base = { owner, container: 'robot', knob: 'GOGC', result: 'Completed' } as const;
  const incident = incidentWith({
    phase: 'RolledBack',
    actions: [
      { ...base, kind: 'Rollout', before: '10', after: '20', at: iso(10_000) },
      { ...base, kind: 'Rollback', before: '20', after: '10', at: iso(90_000) },
    ],
  });
  const breaker = new FleetBreaker({ list: () => [incident] }, limits);
  expect(breaker.at(T0 + 89_000).type).toBe('closed');
  expect(breaker.at(T0 + 90_000)).toMatchObject({ type: 'open', because: 'rolledBack' });
});

it('does not count a way that was refused, although its wish is withdrawn', () => {
  const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'dispatch', uid: 'u' };
  const base = { owner, container: 'robot', knob: 'GOGC', at: iso(10_000) } as const;
  const incident = incidentWith({
    phase: 'Acting',
    actions: [
      { ...base, kind: 'Live', before: '10', after: '20', result: 'Failed', message: 'not enabled' },
      { ...base, kind: 'Rollback', undoes: 'Live', before: '20', after: '10', result: 'Completed' },
    ],
  });
  expect(new FleetBreaker({ list: () => [incident] }, limits).at(T0 + 20_000).type).toBe('closed');
});
