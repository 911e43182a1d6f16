import { expect, test } from 'vitest';
import { sharedForm } from './forms.ts';
import type { Leaf } from './leaves.ts';

const leaves: Leaf[] = [];

test('objects that differ in their figures alone have one form, and no other object has it', () => {
  const form = sharedForm({ a: 1, b: { c: [1, 2] } }, leaves);
  expect(leaves.slice(0, 3)).toEqual([1, 1, 2]);
  expect(sharedForm({ a: null, b: { c: ['x', 2.5] } }, leaves)).toBe(form);
  expect(leaves.slice(0, 3)).toEqual([null, 'x', 2.5]);
  for (const other of [{ a: 1 }, { a: 1, b: { c: [1] } }, { b: { c: [1, 2] }, a: 1 }, { a: 1, b: 2 }, [1, 2]])
    expect(sharedForm(other, leaves)).not.toBe(form);
});

test('of many forms only the latest are remembered; one that was let go is made anew', () => {
  const first = sharedForm({ first: 1 }, leaves);
  for (let i = 0; i < 1000; i++) expect(sharedForm({ [`key${i}`]: i }, leaves).keys).toEqual([`key${i}`]);
  const again = sharedForm({ first: 2 }, leaves);
  expect(again).not.toBe(first);
  expect(again).toEqual(first);
  expect(leaves[0]).toBe(2);
});
