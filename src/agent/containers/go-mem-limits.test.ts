import { expect, test } from 'vitest';
import type { EventTarget } from '../../kube/index.ts';
import { STALE_AFTER } from '../../model/index.ts';
import { syntheticWindow } from '../../model/testing.ts';
import { containerIdOf, pod, policy } from '../testing/objects.ts';
import { GoMemLimits } from './go-mem-limits.ts';
import { watchlist } from './watchlist.ts';

const MIB = 2 ** 20;
const id = containerIdOf('a');

test('a stale GOMEMLIMIT is told once on the pod, with its numbers, whatever the mode, and is over when it fits', () => {
  const told: [EventTarget, string, string, string][] = [];
  const changed: string[] = [];
  const limits = new GoMemLimits({
    events: { record: (regarding, type, reason, note) => told.push([regarding, type, reason, note]) },
    onChange: (containerId) => changed.push(containerId),
  });
  const selected = watchlist([policy('dispatch', { actions: { mode: 'Observe' } })], [pod('dispatch-0')]).selected.get(
    id,
  );
  if (!selected) throw new Error('the policy selects the container');
  const window = (goMemLimitMib: number) =>
    syntheticWindow(1, { gc: { goMemLimitBytes: goMemLimitMib * MIB }, cgroup: { memoryLimitBytes: 128 * MIB } });

  for (let i = 0; i < 3 * STALE_AFTER; i++) limits.window(id, selected, window(200));
  expect(told).toEqual([
    [
      expect.objectContaining({ kind: 'Pod', name: 'dispatch-0', fieldPath: 'spec.containers{robot}' }),
      'Warning',
      'StaleGoMemLimit',
      expect.stringContaining('GOMEMLIMIT of 200 MiB is above the memory limit of 128 MiB'),
    ],
  ]);
  expect(limits.stale.get(id)).toMatchObject({ type: 'above' });

  limits.window(id, selected, window(115));
  expect(limits.stale.size).toBe(0);
  expect(changed).toEqual([id, id]);
  expect(told).toHaveLength(1);
});
