import { expect, test } from 'vitest';
import { LEAK_EVERY_WINDOWS } from '../../diagnosis/index.ts';
import { HeapHistory } from '../../model/index.ts';
import { syntheticWindow } from '../../model/testing.ts';
import { containerIdOf, pod, policy } from '../testing/objects.ts';
import { SlowLeaks } from './slow-leaks.ts';
import { watchlist } from './watchlist.ts';

const MIB = 2 ** 20;
const id = containerIdOf('a');

/** Runs a container for some hours. @returns what was told on its pod, how often its policies were, and what is found at the end */
function live(hours: number, liveMibAt: (hour: number) => number) {
  const told: string[] = [];
  let changes = 0;
  const leaks = new SlowLeaks({
    events: { record: ({ name }, type, reason, note) => told.push(`${name} ${type} ${reason}: ${note}`) },
    onChange: () => {
      changes += 1;
    },
  });
  const selected = watchlist([policy('dispatch', { actions: { mode: 'Observe' } })], [pod('dispatch-0')]).selected.get(
    id,
  );
  if (!selected) throw new Error('the policy selects the container');
  const heap = new HeapHistory();
  for (let second = 0; second < hours * 3600; second += 30) {
    const over = { gc: { heapLiveBytes: liveMibAt(second / 3600) * MIB }, cgroup: { memoryLimitBytes: 512 * MIB } };
    const window = { ...syntheticWindow(second, over), seq: second };
    heap.observe(window);
    leaks.window(id, selected, window, heap);
  }
  return { told, changes, found: leaks.found.get(id) };
}

test('a heap that grows at like traffic is told once on its pod, with its pace and the time that is left, and its numbers are kept', () => {
  const { told, changes, found } = live(2, (hour) => 100 + 100 * hour);
  expect(told).toEqual([
    expect.stringMatching(
      /^dispatch-0 Warning SlowLeak: Live heap grows by 100 MiB an hour .* 512 MiB in \d.* (min|h)\.$/,
    ),
  ]);
  expect(found?.sentence).toContain('100 MiB an hour');
  expect(changes).toBeGreaterThan(2);
  expect(changes).toBeLessThanOrEqual((2 * 3600) / LEAK_EVERY_WINDOWS);
});

test('one that stays, or fills up and then stays, is not told', () => {
  expect(live(3, () => 200)).toEqual({ told: [], changes: 0, found: undefined });
  expect(live(6, (hour) => 100 + 200 * (1 - Math.exp(-hour / 0.25))).told).toEqual([]);
});

test('is over where it no longer grows', () => {
  const { told, found } = live(24, (hour) => 100 + 100 * Math.min(hour, 2));
  expect(told).toHaveLength(1);
  expect(found).toBeUndefined();
});
