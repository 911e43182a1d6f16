import { expect, test } from 'vitest';
import { sharedForm } from './forms.ts';

test('objects that differ in their figures alone have one form, and no other object has it', () => {
  const form = sharedForm({ a: 1, b: { c: [1, 2] } });
  expect(form.leafCount).toBe(3);
  expect(sharedForm({ a: null, b: { c: ['x', 2.5] } })).toBe(form);
  for (const other of [{ a: 1 }, { a: 1, b: { c: [1] } }, { b: { c: [1, 2] }, a: 1 }, { a: 1, b: 2 }, [1, 2]])
    expect(sharedForm(other)).not.toBe(form);
});

test('of many forms only the latest are remembered; one that was let go is made anew', () => {
  const first = sharedForm({ first: 1 });
  for (let i = 0; i < 1000; i++) expect(sharedForm({ [`key${i}`]: i }).keys).toEqual([`key${i}`]);
  const again = sharedForm({ first: 2 });
  expect(again).not.toBe(first);
  expect(again).toEqual(first);
});
