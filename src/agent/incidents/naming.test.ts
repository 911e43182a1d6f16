import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pod } from '../testing/objects.ts';
import { incidentName, labelValue, workloadOf } from './naming.ts';

const owned = (kind: string, name: string, labels: object = {}) =>
  pod('dispatch-0', {
    metadata: {
      labels: { app: 'dispatch', ...labels },
      ownerReferences: [{ apiVersion: 'apps/v1', kind, name, uid: 'u', controller: true }],
    },
  });

describe('names', () => {
  test('the same breach has the same name, another one another', () => {
    const name = incidentName('dispatch', 'c1', '2026-01-01T00:00:00Z');
    expect(name).toMatch(/^dispatch-[0-9a-f]{10}$/);
    expect(incidentName('dispatch', 'c1', '2026-01-01T00:00:00Z')).toBe(name);
    expect(incidentName('dispatch', 'c1', '2026-01-01T00:00:01Z')).not.toBe(name);
    expect(incidentName('dispatch', 'c2', '2026-01-01T00:00:00Z')).not.toBe(name);
  });

  test('property: a name is one that Kubernetes takes, a label value too, and different names stay different', () => {
    const dns = fc.stringMatching(/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/);
    fc.assert(
      fc.property(dns, dns, (one, other) => {
        const name = incidentName(one, 'c', 't');
        expect(name.length).toBeLessThanOrEqual(253);
        expect(name).toMatch(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/);
        expect(labelValue(one)).toMatch(/^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/);
        expect(labelValue(one) === labelValue(other)).toBe(one === other);
      }),
    );
  });

  test.each([
    { one: owned('ReplicaSet', 'dispatch-5d8f', { 'pod-template-hash': '5d8f' }), workload: 'deployment.dispatch' },
    { one: owned('ReplicaSet', 'by-hand'), workload: 'replicaset.by-hand' },
    { one: owned('StatefulSet', 'dispatch'), workload: 'statefulset.dispatch' },
    { one: pod('dispatch-0'), workload: 'pod.dispatch-0' },
  ])('workload $workload', ({ one, workload }) => {
    expect(workloadOf(one)).toBe(workload);
  });
});
