import { expect, test } from 'vitest';
import { cycleEvent, quietSecond } from '../testing/events.ts';
import { AllocationRates } from './allocation-rates.ts';
import { WindowBuilder } from './window-builder.ts';

const at = (seconds: number, totalAllocBytes: number) => ({ atNs: seconds * 1e9, totalAllocBytes });

test('the rate is over the time between two readings of a process', () => {
  const rates = new AllocationRates();
  expect(rates.since(new Map([[1, at(10, 500)]]))).toEqual(new Map());
  const both = new Map([
    [1, at(12, 900)],
    [2, at(12, 7)],
  ]);
  expect(rates.since(both)).toEqual(new Map([[1, 200]]));
  expect(rates.since(new Map([[2, at(13, 7)]]))).toEqual(new Map([[2, 0]]));
});

test('a number that fell (another program) and a time that stood still are no rate below zero', () => {
  const rates = new AllocationRates();
  rates.since(new Map([[1, at(10, 500)]]));
  expect(rates.since(new Map([[1, at(10, 600)]]))).toEqual(new Map());
  expect(rates.since(new Map([[1, at(11, 100)]]))).toEqual(new Map([[1, 0]]));
});

test('a program at rest allocates nothing, whatever it did between its last cycles', () => {
  const builder = new WindowBuilder({
    pod: { namespace: 'robots', name: 'dispatch-0', uid: 'u1' },
    container: 'robot',
    containerId: 'c1',
  });
  const heaps = (seconds: number, totalAllocBytes: number) => ({ heaps: new Map([[1, at(seconds, totalAllocBytes)]]) });
  builder.begin(0, { cgroup: null, ...heaps(0, 0) });
  const cycles = [cycleEvent({ atNs: 1e8 }), cycleEvent({ atNs: 2e8, totalAllocBytes: 8e8 })];
  const burst = builder.close(quietSecond({ cycles, ...heaps(1, 9e8) }));
  const rest = builder.close(quietSecond({ ...heaps(2, 9e8) }));
  expect([burst, rest].map(({ gc }) => gc?.allocBytesPerSecond)).toEqual([9e8, 0]);
});
