import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PolicySpec } from './policy.ts';
import { matchesSelector } from './selector.ts';

const labels = { app: 'dispatch', tier: 'edge' };

const cases: readonly { selector: PolicySpec['selector']; is: boolean; why: string }[] = [
  { selector: {}, is: true, why: 'an empty selector matches everything' },
  { selector: { matchLabels: { app: 'dispatch' } }, is: true, why: 'an equal label' },
  { selector: { matchLabels: { app: 'other' } }, is: false, why: 'another value' },
  { selector: { matchLabels: { app: 'dispatch', zone: 'a' } }, is: false, why: 'all labels are needed' },
  { selector: { matchLabels: { toString: 'x' } }, is: false, why: 'names of object methods are no labels' },
  {
    selector: { matchExpressions: [{ key: 'tier', operator: 'In', values: ['core', 'edge'] }] },
    is: true,
    why: 'In',
  },
  {
    selector: { matchExpressions: [{ key: 'zone', operator: 'In', values: ['a'] }] },
    is: false,
    why: 'In without the label',
  },
  {
    selector: { matchExpressions: [{ key: 'zone', operator: 'NotIn', values: ['a'] }] },
    is: true,
    why: 'NotIn without the label',
  },
  {
    selector: { matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['edge'] }] },
    is: false,
    why: 'NotIn with the value',
  },
  { selector: { matchExpressions: [{ key: 'tier', operator: 'Exists' }] }, is: true, why: 'Exists' },
  {
    selector: { matchExpressions: [{ key: 'constructor', operator: 'Exists' }] },
    is: false,
    why: 'Exists is not fooled either',
  },
  { selector: { matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' }] }, is: false, why: 'DoesNotExist' },
  {
    selector: { matchLabels: { app: 'dispatch' }, matchExpressions: [{ key: 'zone', operator: 'Exists' }] },
    is: false,
    why: 'labels and expressions together',
  },
];

describe('matches', () => {
  test.each(cases)('$why: $is', ({ selector, is }) => {
    expect(matchesSelector(selector, labels)).toBe(is);
  });

  test('property: In and NotIn, Exists and DoesNotExist are opposites whatever the labels', () => {
    const word = fc.constantFrom('a', 'b', 'c');
    fc.assert(
      fc.property(fc.dictionary(word, word), word, fc.array(word, { minLength: 1 }), (some, key, values) => {
        const one = (operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist') =>
          matchesSelector({ matchExpressions: [{ key, operator, values }] }, some);
        expect(one('In')).toBe(!one('NotIn'));
        expect(one('Exists')).toBe(!one('DoesNotExist'));
      }),
    );
  });
});
