import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { allEqual, compare, countInto, countsBetween } from './buckets.ts';

const bounds = [Number.NEGATIVE_INFINITY, 0, 6.4e-8, 1.28e-7, 1e-3, Number.POSITIVE_INFINITY];
const empty = { bounds, counts: [0, 0, 0, 0, 0] };

describe('buckets of the runtime', () => {
  test.each([
    [0, 1],
    [63, 1],
    [64, 2],
    [127, 2],
    [128, 3],
    [999_999, 3],
    [1_000_000, 4],
    [1e12, 4],
  ])('%d ns is counted in bucket %d', (durationNs, bucket) => {
    const expected = [0, 0, 0, 0, 0];
    expected[bucket] = 1;
    expect(countInto(empty, [durationNs])).toEqual(expected);
  });

  test('every duration is counted once, whatever was counted before', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(2_000_000), { maxLength: 50 }),
        fc.array(fc.nat(2_000_000), { maxLength: 50 }),
        (earlier, later) => {
          const before = { bounds, counts: countInto(empty, earlier) };
          const after = { bounds, counts: countInto(empty, [...earlier, ...later]) };
          expect(countsBetween(before, after)).toEqual(countInto(empty, later));
          expect(after.counts.reduce((a, b) => a + b)).toBe(earlier.length + later.length);
        },
      ),
    );
  });

  test('a pause in a neighbouring bucket is a difference', () => {
    const runtime = countInto(empty, [70, 70, 200]);
    const probe = countInto(empty, [70, 130, 200]);
    const buckets = compare(empty, runtime, probe);
    expect(buckets).toEqual([
      { fromNs: 64, toNs: 128, runtime: 2, probe: 1 },
      { fromNs: 128, toNs: 1_000_000, runtime: 1, probe: 2 },
    ]);
    expect(allEqual(buckets)).toBe(false);
    expect(allEqual(compare(empty, runtime, runtime))).toBe(true);
  });
});
