import { describe, expect, test } from 'vitest';
import { containerIdOf, pod, policy } from '../testing/objects.ts';
import { watchlist } from './watchlist.ts';

const idsOf = (list: ReturnType<typeof watchlist>): string[] => [...list.selected.keys()].map((id) => id[0] ?? '');

describe('watchlist', () => {
  test.each([
    { why: 'a running container of a selected pod', pods: [pod('dispatch-0')], ids: ['a'] },
    {
      why: 'a pod of another app is not selected',
      pods: [pod('other', { metadata: { labels: { app: 'other' } } })],
      ids: [],
    },
    {
      why: 'nor one of another namespace',
      pods: [pod('dispatch-0', { metadata: { namespace: 'elsewhere' } })],
      ids: [],
    },
    {
      why: 'nor one that is being deleted',
      pods: [pod('dispatch-0', { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } })],
      ids: [],
    },
    { why: 'nor one that is over', pods: [pod('dispatch-0', { status: { phase: 'Succeeded' } })], ids: [] },
    {
      why: 'all containers where the policy names none',
      pods: [pod('dispatch-0', { running: { robot: 'a', proxy: 'b' } })],
      ids: ['a', 'b'],
    },
  ])('$why', ({ pods, ids }) => {
    expect(idsOf(watchlist([policy('dispatch')], pods))).toEqual(ids);
  });

  test('only the container that the policy names', () => {
    const list = watchlist(
      [policy('dispatch', { container: 'robot' })],
      [pod('dispatch-0', { running: { robot: 'a', proxy: 'b' } })],
    );
    expect(idsOf(list)).toEqual(['a']);
  });

  test('a sidecar counts, an init container that ran does not', () => {
    const spec = { initContainers: [{ name: 'setup' }, { name: 'mesh', restartPolicy: 'Always' }] };
    const initContainerStatuses = ['setup', 'mesh'].map((name, index) => ({
      name,
      containerID: `containerd://${containerIdOf(index === 0 ? 'c' : 'd')}`,
      state: { running: {} },
    }));
    const one = pod('dispatch-0', {
      spec: { containers: [{ name: 'robot' }], ...spec },
      status: { initContainerStatuses, containerStatuses: [] },
    });
    expect(idsOf(watchlist([policy('dispatch')], [one]))).toEqual(['d']);
  });

  test('a container that does not run yet is told, with the kubelet’s reason', () => {
    const containerStatuses = [
      { name: 'robot', containerID: '', state: { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } } },
    ];
    const list = watchlist(
      [policy('dispatch')],
      [pod('dispatch-0', { status: { phase: 'Pending', containerStatuses } })],
    );
    expect(list.selected.size).toBe(0);
    expect(list.notRunning).toEqual([
      {
        policyKey: 'robots/dispatch',
        pod: 'dispatch-0',
        container: 'robot',
        reason: 'ImagePullBackOff',
        message: 'no such image',
      },
    ]);
  });

  test('two policies on one container are one target', () => {
    const list = watchlist([policy('b'), policy('a')], [pod('dispatch-0')]);
    expect([...list.selected.values()].map(({ policies }) => policies.map(({ metadata }) => metadata.name))).toEqual([
      ['a', 'b'],
    ]);
  });

  test('the strictest limit of all its policies is what a container is watched by between ticks', () => {
    const lax = policy('a', { thresholds: { memoryPressureSome: '20%', memoryPressureFull: '0.5%' } });
    const list = watchlist([lax, policy('b')], [pod('dispatch-0')]);
    expect([...list.selected.values()].map(({ target }) => target.pressureLimits)).toEqual([
      { memoryPressureSome: 0.1, memoryPressureFull: 0.005 },
    ]);
  });
});
