import { describe, expect, it } from 'vitest';
import type { WorkloadKind } from '../../kube/index.ts';
import { rolloutState } from './rollout-state.ts';
import { workloadOf } from './testing.ts';

const cases: readonly [kind: WorkloadKind, when: string, status: object, state: string, says: string][] = [
  ['Deployment', 'every pod is new and available', {}, 'settled', 'every pod'],
  ['Deployment', 'the controller has not seen the change', { observedGeneration: 1 }, 'progressing', 'generation 1'],
  ['Deployment', 'a pod is still to be made', { updatedReplicas: 2 }, 'progressing', '2 of 3 pods are new'],
  ['Deployment', 'an old pod is there', { replicas: 4 }, 'progressing', '1 old pods'],
  [
    'Deployment',
    'a new pod is not available',
    { availableReplicas: 2 },
    'progressing',
    '2 of 3 new pods are available',
  ],
  [
    'Deployment',
    'the deadline passed',
    { conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }] },
    'failed',
    'deadline',
  ],
  ['StatefulSet', 'every pod is new and ready', {}, 'settled', 'every pod'],
  ['StatefulSet', 'the controller has not seen the change', { observedGeneration: 1 }, 'progressing', 'generation 1'],
  ['StatefulSet', 'a pod is not ready', { readyReplicas: 2 }, 'progressing', '2 of 3 pods are ready'],
  ['StatefulSet', 'a pod is old', { updatedReplicas: 1 }, 'progressing', '1 of 3 pods are new'],
  ['DaemonSet', 'every node has a new, available pod', {}, 'settled', 'every pod'],
  ['DaemonSet', 'the controller has not seen the change', { observedGeneration: 1 }, 'progressing', 'generation 1'],
  ['DaemonSet', 'a node has an old pod', { updatedNumberScheduled: 2 }, 'progressing', '2 of 3 pods are new'],
  ['DaemonSet', 'a pod is not available', { numberAvailable: 0 }, 'progressing', '0 of 3 pods are available'],
];

describe('a rollout', () => {
  it.each(cases)('of a %s when %s', (kind, _, status, state, says) => {
    const told = rolloutState(workloadOf(kind, { status }));
    expect(told.state).toBe(state);
    expect(told.sentence).toContain(says);
  });

  it('of a StatefulSet with a partition is over when the pods from that ordinal on are new', () => {
    const spec = { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } };
    expect(rolloutState(workloadOf('StatefulSet', { spec, status: { updatedReplicas: 1 } })).state).toBe('settled');
    expect(rolloutState(workloadOf('StatefulSet', { spec, status: { updatedReplicas: 0 } })).state).toBe('progressing');
  });
});
