import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { heapStatsLayoutFor } from '../gobin/heap-stats-layout.ts';
import { sizeClassCounts } from './heap-stats.ts';

describe.each([22, 23, 24, 25, 26])('counts per size class of go1.%i', (minor) => {
  const layout = heapStatsLayoutFor(minor);
  if (layout === undefined) throw new Error('no layout');

  it('are the sum of the three deltas, whichever is written to', () => {
    const parts = fc.tuple(
      fc.bigInt({ min: 0n, max: 2n ** 40n }),
      fc.bigInt({ min: 0n, max: 2n ** 40n }),
      fc.bigInt({ min: 0n, max: 2n ** 40n }),
    );
    fc.assert(
      fc.property(fc.nat(layout.classSizes.length - 1), parts, parts, (index, objects, large) => {
        const bytes = Buffer.alloc(layout.sizeBytes);
        objects.forEach((count, delta) => {
          bytes.writeBigUInt64LE(count, delta * layout.deltaBytes + layout.smallAllocCount + 8 * index);
        });
        large.forEach((count, delta) => {
          bytes.writeBigUInt64LE(count, delta * layout.deltaBytes + layout.largeAlloc);
        });
        const counts = sizeClassCounts(bytes, layout);
        const sum = (values: readonly bigint[]) => Number(values.reduce((a, b) => a + b, 0n));
        expect(counts.classes[index]).toEqual({ sizeBytes: layout.classSizes[index], objects: sum(objects) });
        expect(counts.largeBytes).toBe(sum(large));
        expect(counts.classes.filter(({ objects: found }) => found > 0).length).toBeLessThanOrEqual(1);
      }),
    );
  });
});

it('knows no other version of Go', () => {
  expect([21, 27, 1.5].map(heapStatsLayoutFor)).toEqual([undefined, undefined, undefined]);
});
