import { expect, test } from 'vitest';
import { allocationRate } from './allocation-rate.ts';
import { syntheticWindow } from './testing.ts';

const second = (allocBytesPerSecond: number | null, durationMs = 1000) =>
  syntheticWindow(0, { durationMs, gc: allocBytesPerSecond === null ? null : { allocBytesPerSecond } });

test.each([
  { what: 'bursts with rests between', windows: [second(100), second(0), second(0), second(0)], rate: 25 },
  { what: 'windows of different length', windows: [second(100, 3000), second(0, 1000)], rate: 75 },
  { what: 'windows without GC facts', windows: [second(null), second(40)], rate: 40 },
  { what: 'no window that knows it', windows: [second(null)], rate: undefined },
  { what: 'no window', windows: [], rate: undefined },
])('the allocation rate over $what', ({ windows, rate }) => {
  expect(allocationRate(windows)).toBe(rate);
});
