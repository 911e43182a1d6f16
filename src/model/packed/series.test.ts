import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PackedSeries } from './series.ts';

const leaf = fc.oneof(
  fc.double(),
  fc.maxSafeInteger(),
  fc.nat(10),
  fc.constantFrom<unknown>(null, true, false, '', 'a', -0, 2 ** 64, Number.NaN, undefined),
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  fc.string(),
);
const value = fc.letrec((tie) => ({
  any: fc.oneof({ maxDepth: 3 }, leaf, fc.array(tie('any'), { maxLength: 3 }), tie('object')),
  object: fc.dictionary(fc.string(), tie('any'), { maxKeys: 4, noNullPrototype: true }),
}));

describe('a packed series', () => {
  test('gives back what was put in, whatever it is', () => {
    fc.assert(
      fc.property(fc.array(value.object, { maxLength: 20 }), (objects) => {
        const series = new PackedSeries<object>(100);
        for (const object of objects) series.push(object as object);
        expect(series.all()).toStrictEqual(objects);
      }),
      { numRuns: 500 },
    );
  });

  test('gives back objects of one form with changing figures', () => {
    const plain = { noNullPrototype: true };
    const inner = fc.record({ c: leaf, d: fc.tuple(leaf, leaf) }, plain);
    const figures = fc.record({ a: leaf, b: inner, e: leaf }, plain);
    fc.assert(
      fc.property(fc.array(figures, { maxLength: 150 }), fc.integer({ min: 1, max: 200 }), (objects, capacity) => {
        const series = new PackedSeries<object>(capacity);
        for (const object of objects) series.push(object);
        expect(series.size).toBe(Math.min(capacity, objects.length));
        expect(series.all()).toStrictEqual(objects.slice(-capacity));
        expect(series.latest(3)).toStrictEqual(objects.slice(-Math.min(3, capacity)));
        expect(series.latest(0)).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  test('a part that is the same object as the time before comes back all the same', () => {
    const plain = { noNullPrototype: true };
    const part = fc.record({ c: leaf, d: fc.tuple(leaf, leaf) }, plain);
    const other = fc.record({ c: leaf, d: leaf }, plain);
    const chosen = fc.tuple(
      fc.array(fc.oneof(part, other), { minLength: 1, maxLength: 3 }),
      fc.array(fc.nat(), { maxLength: 40 }),
    );
    fc.assert(
      fc.property(chosen, leaf, ([parts, picks], figure) => {
        const objects = picks.map((pick, i) => ({ a: i, b: parts[pick % parts.length], e: [parts[0]], f: figure }));
        const series = new PackedSeries<object>(100);
        for (const object of objects) series.push(object);
        expect(series.all()).toStrictEqual(objects);
      }),
      { numRuns: 300 },
    );
  });

  test('keys keep their order', () => {
    const series = new PackedSeries<object>(5);
    series.push({ b: 1, a: 2 });
    series.push({ a: 1, b: 2 });
    expect(JSON.stringify(series.all())).toBe('[{"b":1,"a":2},{"a":1,"b":2}]');
  });

  test.each([0, -1, 1.5])('a capacity of %d is refused', (capacity) => {
    expect(() => new PackedSeries(capacity)).toThrow(RangeError);
  });
});
