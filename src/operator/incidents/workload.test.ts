import { describe, expect, it } from 'vitest';
import { deployments } from '../../kube/index.ts';
import { conflictIsOverGogcAlone, gogcApplication, rolloutOf, viewDeployment } from './workload.ts';

function deployment(overrides: { env?: object[]; status?: object; annotations?: object; generation?: number } = {}) {
  return deployments.parse({
    metadata: {
      name: 'dispatch',
      namespace: 'robots',
      uid: 'u',
      resourceVersion: '1',
      generation: overrides.generation ?? 2,
      annotations: overrides.annotations ?? {},
    },
    spec: {
      replicas: 2,
      template: {
        spec: {
          containers: [{ name: 'robot', env: overrides.env ?? [], resources: { limits: { memory: '384Mi' } } }],
        },
      },
    },
    status: overrides.status ?? {
      observedGeneration: 2,
      replicas: 2,
      updatedReplicas: 2,
      readyReplicas: 2,
      availableReplicas: 2,
    },
  });
}

describe('a Deployment', () => {
  it.each([
    ['no variable', [], null, false],
    ['a value', [{ name: 'GOGC', value: '10' }], '10', false],
    ['an empty value', [{ name: 'GOGC' }], '', false],
    [
      'the last of two',
      [
        { name: 'GOGC', value: '10' },
        { name: 'GOGC', value: '20' },
      ],
      '20',
      false,
    ],
    ['a reference', [{ name: 'GOGC', valueFrom: { configMapKeyRef: { name: 'c', key: 'k' } } }], null, true],
  ])('with %s for GOGC is understood', (_, env, gogc, gogcFromRef) => {
    expect(viewDeployment(deployment({ env }), 'robot')).toMatchObject({ type: 'found', gogc, gogcFromRef });
  });

  it('shows its memory limit, and whether its team paused us', () => {
    const view = viewDeployment(deployment({ annotations: { 'robotgc.dev/paused': 'true' } }), 'robot');
    expect(view).toMatchObject({ memoryLimitBytes: 384 * 2 ** 20, paused: true });
  });

  it('without the container is of no use', () => {
    expect(viewDeployment(deployment(), 'sidecar')).toMatchObject({ type: 'gone' });
  });
});

describe('a rollout', () => {
  const complete = { observedGeneration: 2, replicas: 2, updatedReplicas: 2, availableReplicas: 2 };
  it.each([
    ['settled when every pod is new and available', complete, 'settled'],
    ['in progress until the controller has seen the change', { ...complete, observedGeneration: 1 }, 'progressing'],
    ['in progress while an old pod is there', { ...complete, replicas: 3 }, 'progressing'],
    ['in progress while a new pod is not available', { ...complete, availableReplicas: 1 }, 'progressing'],
    [
      'failed past its deadline',
      {
        ...complete,
        updatedReplicas: 1,
        conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }],
      },
      'failed',
    ],
  ])('is %s', (_, status, expected) => {
    expect(rolloutOf(deployment({ status }))).toBe(expected);
  });
});

describe('what is applied', () => {
  const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'dispatch', uid: 'u' };
  const cause = { incident: 'i', previous: '10' };

  it('claims one variable and its reason, nothing else', () => {
    expect(gogcApplication(owner, 'robots', 'robot', '100', cause)).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: {
        name: 'dispatch',
        namespace: 'robots',
        uid: 'u',
        annotations: { 'robotgc.dev/cause': 'RobotGCIncident/i', 'robotgc.dev/previous': '{"GOGC":"10"}' },
      },
      spec: { template: { spec: { containers: [{ name: 'robot', env: [{ name: 'GOGC', value: '100' }] }] } } },
    });
  });

  it('leaves the variable out to unset it', () => {
    expect(JSON.stringify(gogcApplication(owner, 'robots', 'robot', null, cause))).not.toContain('"env"');
  });

  it('may be forced only where the conflict is over that variable alone', () => {
    const gogc = '.spec.template.spec.containers[name="robot"].env[name="GOGC"].value';
    expect(conflictIsOverGogcAlone([gogc], 'robot')).toBe(true);
    expect(conflictIsOverGogcAlone([gogc, '.spec.replicas'], 'robot')).toBe(false);
    expect(conflictIsOverGogcAlone([gogc], 'other')).toBe(false);
    expect(conflictIsOverGogcAlone([], 'robot')).toBe(false);
  });
});
