import { describe, expect, it } from 'vitest';
import { limitRanges, nodes, type Pod, pods, resourceQuotas } from '../../kube/index.ts';
import { capsOf, roomsOf } from './capacity.ts';
import { podResize } from './pod-resize.ts';
import { guaranteedOtherwise } from './qos.ts';

const MIB = 2 ** 20;
const metadata = { name: 'x', namespace: 'robots', uid: 'u', resourceVersion: '1', generation: 2 };

interface Parts {
  readonly containers?: readonly object[];
  readonly initContainers?: readonly object[];
  readonly resources?: object;
  readonly phase?: string;
  readonly conditions?: readonly object[];
  readonly inEffect?: string;
}

function podWith({ containers = [], initContainers = [], resources, phase, conditions = [], inEffect }: Parts): Pod {
  return pods.parse({
    metadata,
    spec: { nodeName: 'n1', containers, initContainers, resources },
    status: {
      phase: phase ?? 'Running',
      conditions,
      containerStatuses: inEffect ? [{ name: 'robot', resources: { limits: { memory: inEffect } } }] : [],
    },
  });
}

const robot = (limits: object, requests: object = {}, more: object = {}) => ({
  name: 'robot',
  resources: { limits, requests },
  ...more,
});

describe('the resize of a pod', () => {
  const resizing = (spec: string, inEffect: string, conditions: readonly object[] = []) =>
    podResize(podWith({ containers: [robot({ memory: spec })], inEffect, conditions }), 'robot', {
      before: '128Mi',
      after: '160Mi',
    });
  const pending = (reason: string, over: object = {}) => [
    { type: 'PodResizePending', status: 'True', reason, message: 'Node didn’t have enough capacity', ...over },
  ];

  it.each([
    ['has not begun', resizing('128Mi', '128Mi'), 'before'],
    ['has not reached the kubelet', resizing('160Mi', '128Mi'), 'underway'],
    ['is in effect', resizing('160Mi', '160Mi'), 'settled'],
    ['is in effect, written another way', resizing('163840Ki', '167772160'), 'settled'],
    ['waits for its node', resizing('160Mi', '128Mi', pending('Deferred')), 'underway'],
    ['is impossible on its node', resizing('160Mi', '128Mi', pending('Infeasible')), 'infeasible'],
    ['is being carried out', resizing('160Mi', '160Mi', [{ type: 'PodResizeInProgress', status: 'True' }]), 'underway'],
    [
      'was impossible another time',
      resizing('160Mi', '160Mi', pending('Infeasible', { observedGeneration: 1 })),
      'settled',
    ],
    ['is over', resizing('160Mi', '160Mi', pending('Infeasible', { status: 'False' })), 'settled'],
    ['was done by somebody else', resizing('200Mi', '200Mi'), 'other'],
  ])('%s', (_, { state }, expected) => {
    expect(state).toBe(expected);
  });

  it('tells what the kubelet says', () => {
    expect(resizing('160Mi', '128Mi', pending('Infeasible'))).toMatchObject({
      sentence: 'pod x: Node didn’t have enough capacity',
    });
  });
});

describe('a pod that is Guaranteed once this container requests its memory limit', () => {
  const cpu = { cpu: '1' };
  it.each<[string, Parts, boolean]>([
    ['requests all of its CPU', { containers: [robot({ ...cpu, memory: '1Gi' }, cpu)] }, true],
    ['has no CPU limit', { containers: [robot({ memory: '1Gi' }, cpu)] }, false],
    ['has a sidecar without limits', { containers: [robot(cpu, cpu), { name: 'proxy' }] }, false],
    [
      'has an init container without limits',
      { containers: [robot(cpu, cpu)], initContainers: [{ name: 'init' }] },
      false,
    ],
  ])('%s', (_, parts, expected) => {
    expect(guaranteedOtherwise(podWith(parts), 'robot')).toBe(expected);
  });
});

describe('the room of a node', () => {
  const node = nodes.parse({
    metadata: { ...metadata, name: 'n1', namespace: undefined },
    status: { allocatable: { memory: '1Gi' } },
  });
  const freeMib = (...parts: Parts[]) =>
    (roomsOf({ nodes: [node], quotas: [], limitRanges: [] }, parts.map(podWith))[0]?.freeBytes ?? 0) / MIB;
  const of = (memory: string, more: object = {}) => robot({}, { memory }, more);

  it.each<[string, Parts[], number]>([
    ['is all of it where nothing runs', [], 1024],
    ['is less by what is requested', [{ containers: [of('100Mi'), of('24Mi')] }], 900],
    [
      'counts sidecars',
      [{ containers: [of('100Mi')], initContainers: [of('24Mi', { restartPolicy: 'Always' })] }],
      900,
    ],
    [
      'counts the largest init container where that is more',
      [{ containers: [of('100Mi')], initContainers: [of('1Gi')] }],
      0,
    ],
    [
      'counts what the pod requests as a whole',
      [{ containers: [of('1Mi')], resources: { requests: { memory: '24Mi' } } }],
      1000,
    ],
    ['does not count pods that are over', [{ containers: [of('100Mi')], phase: 'Succeeded' }], 1024],
  ])('%s', (_, parts, mib) => {
    expect(freeMib(...parts)).toBe(mib);
  });

  it('is a cap on one container too', () => {
    expect(capsOf({ nodes: [node], quotas: [], limitRanges: [] })).toEqual([
      { name: 'node n1', node: 'n1', maxBytes: 2 ** 30 },
    ]);
  });
});

describe('what a namespace leaves', () => {
  it('is the hard limit of a quota less what is used', () => {
    const quota = resourceQuotas.parse({
      metadata,
      status: { hard: { 'limits.memory': '1Gi', memory: '512Mi', pods: '3' }, used: { 'limits.memory': '1000Mi' } },
    });
    expect(roomsOf({ nodes: [], quotas: [quota], limitRanges: [] }, [])).toEqual([
      { name: 'ResourceQuota x (limits.memory)', of: 'limits', freeBytes: 24 * MIB },
      { name: 'ResourceQuota x (memory)', of: 'requests', freeBytes: 512 * MIB },
    ]);
  });

  it('leaves quotas for some pods only to the API server', () => {
    const scoped = resourceQuotas.parse({
      metadata,
      spec: { scopes: ['BestEffort'] },
      status: { hard: { memory: '1' } },
    });
    expect(roomsOf({ nodes: [], quotas: [scoped], limitRanges: [] }, [])).toEqual([]);
  });

  it('is what its limit ranges allow a container', () => {
    const range = limitRanges.parse({
      metadata,
      spec: {
        limits: [
          { type: 'Container', max: { memory: '1Gi' }, maxLimitRequestRatio: { memory: '4' } },
          { type: 'PersistentVolumeClaim', max: { storage: '1Gi' } },
        ],
      },
    });
    expect(capsOf({ nodes: [], quotas: [], limitRanges: [range] })).toMatchObject([
      { name: 'LimitRange x', maxBytes: 2 ** 30, maxRatio: 4 },
    ]);
  });
});
