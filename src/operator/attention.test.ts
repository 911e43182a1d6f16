import { expect, it } from 'vitest';
import { Attention } from './attention.ts';

it('counts from the first look, and anew after a gap in which nobody could have told anything', () => {
  const attention = new Attention();
  expect([0, 1000, 15_000, 34_000].map((ms) => attention.look('robots/a', ms))).toEqual([0, 0, 0, 0]);
  expect(attention.look('robots/a', 94_000)).toBe(94_000);
  expect(attention.look('robots/a', 95_000)).toBe(94_000);
  expect(attention.look('robots/b', 95_000)).toBe(95_000);
  attention.forget('robots/a');
  expect(attention.look('robots/a', 96_000)).toBe(96_000);
});
