import fc from 'fast-check';
import { expect, test } from 'vitest';
import { refusal, triggerFor, triggerText } from './psi-trigger.ts';

test.each([
  ['some', 50_000, 1_000_000, 'ok', 'the window must be a multiple'],
  ['some', 1, 2_000_000, 'ok', 'ok'],
  ['full', 1_000, 4_000_000, 'ok', 'ok'],
  ['some', 50_000, 300_000, 'the window is not', 'the window is not'],
  ['some', 150_000, 12_000_000, 'the window is not', 'the window is not'],
  ['some', 0, 2_000_000, 'the stall is nothing', 'the stall is nothing'],
  ['some', 3_000_000, 2_000_000, 'the stall is longer', 'the stall is longer'],
] as const)('%s %d %d: with the capability %s, without it %s', (line, stallUs, windowUs, capable, incapable) => {
  expect(refusal({ line, stallUs, windowUs }, true) ?? 'ok').toContain(capable);
  expect(refusal({ line, stallUs, windowUs }, false) ?? 'ok').toContain(incapable);
});

test('a limit becomes a trigger that tells it where the kernel grants one, else one that wakes', () => {
  expect(triggerText(triggerFor('some', 0.1, true).trigger)).toBe('some 100000 1000000');
  expect(triggerFor('full', 0.01, false)).toEqual({
    trigger: { line: 'full', stallUs: 1, windowUs: 2_000_000 },
    role: 'wakes',
  });
});

test('property: what is asked for is granted, whatever the limit', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 2, noNaN: true }), fc.boolean(), (limit, capable) => {
      expect(refusal(triggerFor('some', limit, capable).trigger, capable)).toBeNull();
    }),
  );
});
