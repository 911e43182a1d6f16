import { expect, test } from 'vitest';
import { cycleEvent, quietSecond } from '../testing/events.ts';
import { Allocated } from './allocated.ts';
import { WindowBuilder } from './window-builder.ts';

const heaps = (...totals: [pid: number, totalAllocBytes: number][]) =>
  new Map(totals.map(([pid, totalAllocBytes]) => [pid, { totalAllocBytes }]));

test('what a process allocated is told once it was read twice', () => {
  const allocated = new Allocated();
  const told = (...totals: [pid: number, totalAllocBytes: number][]) => {
    allocated.take(heaps(...totals));
    return [1, 2].map((pid) => allocated.of(pid));
  };
  expect(told([1, 500])).toEqual([undefined, undefined]);
  expect(told([1, 900], [2, 7])).toEqual([400, undefined]);
  expect(told([2, 7])).toEqual([undefined, 0]);
  expect(told([1, 950], [2, 7])).toEqual([undefined, 0]);
});

test('a number that fell, which is another program’s, is nothing below zero', () => {
  const allocated = new Allocated();
  allocated.take(heaps([1, 500]));
  allocated.take(heaps([1, 100]));
  expect(allocated.of(1)).toBe(0);
});

test('a program at rest allocates nothing, whatever it did between its last cycles', () => {
  const builder = new WindowBuilder({
    pod: { namespace: 'robots', name: 'dispatch-0', uid: 'u1' },
    container: 'robot',
    containerId: 'c1',
  });
  builder.begin(0, { cgroup: null, heaps: heaps([1, 0]) });
  const cycles = [cycleEvent({ atNs: 1e8 }), cycleEvent({ atNs: 2e8, totalAllocBytes: 8e8 })];
  const burst = builder.close(quietSecond({ cycles, heaps: heaps([1, 9e8]) }));
  const rest = builder.close(quietSecond({ heaps: heaps([1, 9e8]) }));
  expect([burst, rest].map(({ gc }) => gc?.allocBytesPerSecond)).toEqual([9e8, 0]);
});
