import { expect, test } from 'vitest';
import { pollPace, pollPeriodMs } from './poll-pace.ts';

test.each([
  [0, 125],
  [0.9, 125],
  [1.2, 1000 / 6],
  [1.5, 200],
  [3, 200],
  [10, 200],
  [20, 500],
  [100, 1000],
])('a round of %d ms is due every %d ms', (roundMs, periodMs) => expect(pollPeriodMs({ roundMs })).toBe(periodMs));

test('one slow round changes nothing, many do, and quick ones bring the pace back', () => {
  let pace = pollPace;
  for (let i = 0; i < 50; i++) pace = pace.after(0.5);
  pace = pace.after(4);
  expect(pollPeriodMs(pace)).toBe(125);
  for (let i = 0; i < 50; i++) pace = pace.after(3);
  expect(pollPeriodMs(pace)).toBe(200);
  for (let i = 0; i < 50; i++) pace = pace.after(0.5);
  expect(pollPeriodMs(pace)).toBe(125);
});
