import { describe, expect, it } from 'vitest';
import { horizontalPodAutoscalers, podDisruptionBudgets, verticalPodAutoscalers } from '../../kube/index.ts';
import { type Neighbours, NO_NEIGHBOURS } from './neighbours.ts';
import { againstRollout, type RolloutSubject } from './rollout-checks.ts';
import { workloadOf } from './testing.ts';

const named = (name: string) => ({ name, namespace: 'robots', uid: 'u', resourceVersion: '1' });
const budget = (disruptionsAllowed: number) =>
  podDisruptionBudgets.parse({
    metadata: named('keep'),
    spec: { selector: { matchLabels: { app: 'dispatch' } }, minAvailable: 3 },
    status: { disruptionsAllowed, currentHealthy: 3, desiredHealthy: 3 },
  });
const scaler = (currentReplicas: number, desiredReplicas: number) =>
  horizontalPodAutoscalers.parse({
    metadata: named('grow'),
    spec: { scaleTargetRef: { kind: 'Deployment', name: 'dispatch' } },
    status: { currentReplicas, desiredReplicas },
  });
const vertical = (updateMode: string, policy?: object) =>
  verticalPodAutoscalers.parse({
    metadata: named('size'),
    spec: {
      targetRef: { kind: 'Deployment', name: 'dispatch' },
      updatePolicy: { updateMode },
      ...(policy ? { resourcePolicy: { containerPolicies: [policy] } } : {}),
    },
  });

function against(parts: Partial<RolloutSubject>, neighbours: Partial<Neighbours> = {}) {
  const workload = workloadOf('Deployment');
  const subject: RolloutSubject = {
    workload,
    container: 'robot',
    knob: 'GOGC',
    neighbours: { ...NO_NEIGHBOURS, ...neighbours },
    takeOver: false,
    canary: false,
    ...parts,
  };
  return againstRollout(subject);
}
const nothing = { obstacles: [], conflicts: [], passing: [] };

describe('a rollout is not possible where', () => {
  it.each([
    ['StatefulSet', { updateStrategy: { type: 'OnDelete' } }, 'OnDelete'],
    ['DaemonSet', { updateStrategy: { type: 'OnDelete' } }, 'OnDelete'],
    ['Deployment', { paused: true }, 'paused'],
    ['StatefulSet', { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } }, 'partition 2'],
  ] as const)('a %s has %j', (kind, spec, says) => {
    expect(against({ workload: workloadOf(kind, { spec }) }).obstacles).toEqual([expect.stringContaining(says)]);
  });

  it('one pod is wanted first and the kind has no partition', () => {
    for (const kind of ['Deployment', 'DaemonSet'] as const) {
      expect(against({ workload: workloadOf(kind), canary: true }).obstacles).toEqual([
        expect.stringContaining('one of its 3 pods'),
      ]);
    }
    expect(against({ workload: workloadOf('StatefulSet'), canary: true })).toEqual(nothing);
    expect(against({ workload: workloadOf('Deployment', { spec: { replicas: 1 } }), canary: true })).toEqual(nothing);
  });

  it('but for what the running pods have already: that need not reach them, nor one of them first', () => {
    const workload = workloadOf('DaemonSet', { spec: { updateStrategy: { type: 'OnDelete' } } });
    expect(against({ workload, canary: true, inEffect: true }, { budgets: [budget(0)] })).toEqual(nothing);
  });

  it('and none of this holds for a workload as most are', () => {
    for (const kind of ['Deployment', 'StatefulSet', 'DaemonSet'] as const) {
      expect(against({ workload: workloadOf(kind) })).toEqual(nothing);
    }
  });
});

describe('someone else has the say where', () => {
  it.each([
    ['Argo CD tracks it', { annotations: { 'argocd.argoproj.io/tracking-id': 'robots:apps/Deployment:x' } }, 'Argo CD'],
    [
      'Argo CD wrote it',
      { managedFields: [{ manager: 'argocd-controller', operation: 'Apply' }] },
      'argocd-controller',
    ],
    ['Flux applies it', { labels: { 'kustomize.toolkit.fluxcd.io/name': 'apps' } }, 'Flux'],
    ['Flux releases it', { labels: { 'helm.toolkit.fluxcd.io/name': 'apps' } }, 'Flux'],
    [
      'another controller makes it',
      { ownerReferences: [{ apiVersion: 'x/v1', kind: 'Fleet', name: 'f', uid: 'f', controller: true }] },
      'Fleet f',
    ],
  ])('%s', (_, metadata, says) => {
    const workload = workloadOf('Deployment', { metadata });
    expect(against({ workload }).conflicts).toEqual([expect.stringContaining(says)]);
    expect(against({ workload, takeOver: true })).toEqual(nothing);
  });

  it('but not where Flux was told to leave it alone, or only its status was written by a tool', () => {
    const off = { 'kustomize.toolkit.fluxcd.io/name': 'apps', 'kustomize.toolkit.fluxcd.io/reconcile': 'disabled' };
    expect(against({ workload: workloadOf('Deployment', { metadata: { labels: off } }) })).toEqual(nothing);
    const managedFields = [{ manager: 'argocd-controller', operation: 'Update', subresource: 'status' }];
    expect(against({ workload: workloadOf('Deployment', { metadata: { managedFields } }) })).toEqual(nothing);
  });

  it.each([
    ['sets everything', vertical('Auto'), 1],
    ['sets it at the start of a pod', vertical('Initial'), 1],
    ['sets memory alone', vertical('Auto', { containerName: '*', controlledResources: ['memory'] }), 1],
    ['only recommends', vertical('Off'), 0],
    ['leaves the container out', vertical('Auto', { containerName: 'robot', mode: 'Off' }), 0],
    ['sets CPU alone', vertical('Auto', { containerName: '*', controlledResources: ['cpu'] }), 0],
  ])('a vertical autoscaler %s and memory is to be changed', (_, autoscaler, conflicts) => {
    const found = against({ knob: 'MemoryLimit', takeOver: true }, { vertical: [autoscaler] }).conflicts;
    expect(found).toHaveLength(conflicts);
    for (const sentence of found) expect(sentence).toContain('size');
    expect(against({ knob: 'GOGC' }, { vertical: [autoscaler] })).toEqual(nothing);
  });
});

describe('a rollout waits while', () => {
  const strict = (kind: 'Deployment' | 'StatefulSet' | 'DaemonSet', spec: object, allowed: number) =>
    against({ workload: workloadOf(kind, { spec }) }, { budgets: [budget(allowed)] }).passing;
  const rolling = (maxUnavailable: number | string, maxSurge: number | string) => ({
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable, maxSurge } },
  });

  it.each([
    ['Deployment', rolling('25%', '25%'), 0, undefined, 'makes a new pod before it ends an old one'],
    ['Deployment', rolling(0, 0), 0, 1, 'has to end one, whatever is rounded to nothing'],
    ['Deployment', rolling(2, 1), 1, 2, 'ends two at once'],
    ['Deployment', rolling(2, 1), 2, undefined, 'ends as many as are allowed'],
    ['Deployment', { strategy: { type: 'Recreate' } }, 1, 3, 'ends all of them'],
    ['StatefulSet', {}, 0, 1, 'ends one after the other'],
    ['StatefulSet', {}, 1, undefined, 'ends one, and one may be missing'],
    ['DaemonSet', { updateStrategy: rolling('50%', 0).strategy }, 1, 2, 'ends half of them'],
    ['DaemonSet', { updateStrategy: rolling(0, 1).strategy }, 0, undefined, 'makes new pods first'],
  ] as const)('a budget would be broken: a %s with %j and %i allowed', (kind, spec, allowed, down, _) => {
    const passing = strict(kind, spec, allowed);
    if (down === undefined) return expect(passing).toEqual([]);
    expect(passing).toEqual([
      { guardrail: 'PodDisruptionBudget', message: expect.stringContaining(`takes ${down} pods down at once`) },
    ]);
    expect(passing[0]?.message).toContain(`keep allows ${allowed} (3 healthy, 3 wanted)`);
  });

  it('the number of pods is being changed by an autoscaler, and not for its being there', () => {
    expect(against({}, { horizontal: [scaler(3, 5)] }).passing).toEqual([
      { guardrail: 'ScalingInProgress', message: expect.stringContaining('from 3 to 5 pods') },
    ]);
    expect(against({}, { horizontal: [scaler(3, 3), scaler(3, 0)] })).toEqual(nothing);
  });
});
