import { expect, test } from 'vitest';
import { randomFrom } from '../support/fuzz/random.ts';
import { thereAndBack } from './turns.ts';

test('each is measured twice, at mirrored places', () => {
  const order = thereAndBack(['a', 'b', 'c'], randomFrom(3));
  expect(order.toSorted()).toEqual(['a', 'a', 'b', 'b', 'c', 'c']);
  expect(order.toReversed()).toEqual(order);
});

test('each is first at times', () => {
  const random = randomFrom(1);
  const firsts = Array.from({ length: 50 }, () => thereAndBack(['a', 'b', 'c'], random)[0]);
  expect(new Set(firsts).size).toBe(3);
});
