import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layoutFor } from '../gobin/index.ts';
import { entryOf } from './auxiliary-vector.ts';
import { bookDecoder } from './controller-books.ts';

const layout = layoutFor(26);
if (layout === undefined) throw new Error('no layout of Go 1.26');
const decoder = bookDecoder(layout);
const atNs = 5e12;

/** A controller as it stands in a program with GOGC=100 and no limit. */
function controller(change: (bytes: Buffer) => void = () => {}): Buffer {
  const bytes = Buffer.alloc(layout?.sizeBytes ?? 0);
  bytes.writeInt32LE(100, 0);
  bytes.writeBigInt64LE(2n ** 63n - 1n, 8);
  bytes.writeBigUInt64LE(4n << 20n, 16);
  bytes.writeBigUInt64LE(160_000_000n, 72);
  bytes.writeBigUInt64LE(120_000_000n, 88);
  bytes.writeBigUInt64LE(100_000_000n, 104);
  bytes.writeBigUInt64LE(80_000_000n, 152);
  bytes.writeBigInt64LE(4_000_000_000_000n, 224);
  bytes.writeBigUInt64LE(90_000_000n, 272);
  bytes.writeBigUInt64LE(9_000_000_000n, 296);
  bytes.writeBigUInt64LE(8_900_000_000n, 304);
  bytes.writeBigUInt64LE(170_000_000n, 312);
  change(bytes);
  return bytes;
}

describe('books of the collector', () => {
  it('are read with their units, what is not set as null', () => {
    expect(decoder.books(controller(), atNs)).toMatchObject({
      atNs,
      gcPercent: 100,
      memoryLimitBytes: null,
      heapMinimumBytes: 4 * 1024 * 1024,
      gcPercentHeapGoalBytes: 160e6,
      triggeredBytes: 120e6,
      heapLiveBytes: 100e6,
      heapMarkedBytes: 80e6,
      markStartNs: 4e12,
      totalAllocBytes: 9e9,
      totalFreeBytes: 8.9e9,
      mappedReadyBytes: 170e6,
    });
    const none = controller((bytes) => {
      bytes.writeInt32LE(-1, 0);
      bytes.writeBigInt64LE(256n << 20n, 8);
      bytes.writeBigUInt64LE(2n ** 64n - 1n, 72);
      bytes.writeBigUInt64LE(2n ** 64n - 1n, 88);
    });
    expect(decoder.books(none, atNs)).toMatchObject({
      gcPercent: -1,
      memoryLimitBytes: 256 * 1024 * 1024,
      gcPercentHeapGoalBytes: null,
      triggeredBytes: null,
    });
  });

  it.each<[string, RegExp, (bytes: Buffer) => void]>([
    ['GOGC', /GOGC=-2/, (bytes) => bytes.writeInt32LE(-2, 0)],
    ['a limit', /limit/, (bytes) => bytes.writeBigInt64LE(-1n, 8)],
    ['a live heap', /heap of/, (bytes) => bytes.writeBigUInt64LE(2n ** 48n, 104)],
    ['a marked heap', /heap of/, (bytes) => bytes.writeBigUInt64LE(2n ** 63n, 152)],
    ['a total', /allocated in all/, (bytes) => bytes.writeBigUInt64LE(2n ** 60n, 296)],
    ['no mapped memory', /mapped/, (bytes) => bytes.writeBigUInt64LE(0n, 312)],
    ['a worker time', /below zero/, (bytes) => bytes.writeBigInt64LE(-5n, 200)],
    ['a mark phase', /future/, (bytes) => bytes.writeBigInt64LE(BigInt(atNs) + 2_000_000_000n, 224)],
  ])('cannot be with %s like this', (_, sentence, change) => {
    expect(decoder.books(controller(change), atNs)).toMatch(sentence);
  });

  it('are figures within bounds or a sentence, whatever the bytes', () => {
    const size = layout.sizeBytes;
    fc.assert(
      fc.property(fc.uint8Array({ minLength: size, maxLength: size }), (bytes) => {
        const books = decoder.books(Buffer.from(bytes), atNs);
        if (typeof books === 'string') return;
        for (const figure of Object.values(books)) if (figure !== null) expect(figure).toBeGreaterThanOrEqual(-1);
        expect(books.heapLiveBytes).toBeLessThanOrEqual(2 ** 47);
      }),
    );
  });
});

describe('the entry in the auxiliary vector', () => {
  const word = (value: bigint): Buffer => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(value);
    return bytes;
  };

  it('is found up to the end mark', () => {
    const pairs = [3n, 0x400040n, 9n, 0x46e5c0n, 0n, 0n].map(word);
    expect(entryOf(Buffer.concat(pairs))).toBe(0x46e5c0);
    expect(entryOf(Buffer.concat([0n, 0n, 9n, 1n].map(word)))).toBeUndefined();
  });

  it('is found or not, but never throws, whatever the bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void entryOf(Buffer.from(bytes))));
  });
});
