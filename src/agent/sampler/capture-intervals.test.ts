import { expect, test } from 'vitest';
import { CaptureIntervals } from './capture-intervals.ts';

test('a capture lasts from its begin to a moment after its end, on its own target alone', () => {
  const intervals = new CaptureIntervals();
  const end = intervals.begin('c1', 100e9);
  expect(intervals.contains('c1', 99e9)).toBe(false);
  expect(intervals.contains('c1', 500e9)).toBe(true);
  expect(intervals.contains('c2', 101e9)).toBe(false);
  end(110e9);
  expect(intervals.contains('c1', 110.9e9)).toBe(true);
  expect(intervals.contains('c1', 111.1e9)).toBe(false);
});

test('two captures may overlap, and old ones are forgotten', () => {
  const intervals = new CaptureIntervals();
  intervals.begin('c1', 0)(10e9);
  const end = intervals.begin('c1', 5e9);
  expect(intervals.contains('c1', 20e9)).toBe(true);
  end(20e9);
  intervals.begin('c1', 200e9)(201e9);
  expect(intervals.contains('c1', 5e9)).toBe(false);
});
