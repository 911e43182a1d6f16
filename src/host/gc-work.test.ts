import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gcWorkBytes } from '../gobin/index.ts';
import { gcWork } from './gc-work.ts';

const small = fc.nat(2 ** 40);

function bytesOf(words: readonly (readonly [number, number])[]): Buffer {
  const bytes = Buffer.alloc(gcWorkBytes);
  for (const [offset, value] of words) bytes.writeBigInt64LE(BigInt(value), offset);
  return bytes;
}

describe('the times of all cycles', () => {
  it('are read where they lie', () => {
    const bytes = bytesOf([
      [16, 101],
      [24, 102],
      [32, 103],
      [40, 104],
      [80, 1],
      [88, 20],
      [96, 300],
      [104, 4000],
      [112, 4321],
    ]);
    bytes.writeUInt32LE(7, 0);
    bytes.writeInt32LE(2, 8);
    expect(gcWork(bytes)).toEqual({
      cycles: 7,
      procs: 2,
      sweepTerminationAtNs: 101,
      markAtNs: 102,
      markTerminationAtNs: 103,
      endAtNs: 104,
      assistNs: 1,
      dedicatedNs: 20,
      idleNs: 300,
      pauseNs: 4000,
    });
  });

  it('are read on a node that has been up for years too, where nanoseconds are beyond whole doubles', () => {
    const upNs = 3 * 365 * 86_400_000_000_000;
    const years = bytesOf([
      [16, upNs],
      [40, upNs + 4_000],
      [88, upNs],
      [104, 2 ** 20 + 1],
    ]);
    years.writeBigInt64LE(BigInt(upNs) + 2n ** 20n + 1n, 112);
    expect(gcWork(years)).toMatchObject({ sweepTerminationAtNs: upNs, endAtNs: upNs + 4_000, dedicatedNs: upNs });
    years.writeBigInt64LE(BigInt(upNs) + 2n ** 20n, 112);
    expect(gcWork(years)).toContain('make');
  });

  it('are believed only when the parts make the total', () => {
    fc.assert(
      fc.property(small, small, small, small, small, (assist, dedicated, idle, pause, total) => {
        const parts: [number, number][] = [
          [80, assist],
          [88, dedicated],
          [96, idle],
          [104, pause],
        ];
        const sum = assist + dedicated + idle + pause;
        expect(typeof gcWork(bytesOf([...parts, [112, sum]]))).toBe('object');
        if (total !== sum) expect(typeof gcWork(bytesOf([...parts, [112, total]]))).toBe('string');
      }),
    );
  });

  it('are never made of other bytes by accident', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: gcWorkBytes, maxLength: gcWorkBytes }), (bytes) => {
        const decoded = gcWork(Buffer.from(bytes));
        if (typeof decoded === 'string') return;
        for (const value of Object.values(decoded)) expect(value).toBeGreaterThanOrEqual(0);
      }),
    );
    expect(gcWork(Buffer.alloc(10))).toContain('10 bytes');
    const noProcs = Buffer.alloc(gcWorkBytes);
    noProcs.writeUInt32LE(3, 0);
    expect(gcWork(noProcs)).toContain('0 processors');
  });
});
