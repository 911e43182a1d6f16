import { describe, expect, it } from 'vitest';
import { NO_NEIGHBOURS } from '../workloads/neighbours.ts';
import { workloadOf } from '../workloads/testing.ts';
import { viewWorkload } from './workload.ts';

const around = { pods: [], neighbours: NO_NEIGHBOURS };

const withEnv = (env: object[]) => workloadOf('Deployment', { containers: [{ name: 'robot', env }] });

describe('a workload', () => {
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
  ])('with %s for GOGC is understood', (_, env, setting, fromRef) => {
    expect(viewWorkload(withEnv(env), 'robot', around)).toMatchObject({
      type: 'found',
      settings: { GOGC: { setting, fromRef } },
    });
  });

  it.each(['Deployment', 'StatefulSet', 'DaemonSet'] as const)('shows what it is: a %s', (kind) => {
    const owner = { apiVersion: 'apps/v1', kind, name: 'dispatch', uid: 'u' };
    expect(viewWorkload(workloadOf(kind), 'robot', around)).toMatchObject({
      type: 'found',
      owner,
      rollout: { state: 'settled' },
    });
  });

  it('shows its memory limit, and whether its team paused us', () => {
    const workload = workloadOf('Deployment', {
      metadata: { annotations: { 'robotgc.dev/paused': 'true' } },
      containers: [{ name: 'robot', resources: { limits: { memory: '384Mi' } } }],
    });
    expect(viewWorkload(workload, 'robot', around)).toMatchObject({ memoryLimitBytes: 384 * 2 ** 20, paused: true });
  });

  it('without the container is of no use', () => {
    expect(viewWorkload(withEnv([]), 'sidecar', around)).toMatchObject({ type: 'gone' });
  });
});
