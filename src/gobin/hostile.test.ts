import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planAttach } from './plan.ts';
import { bytesReader } from './reader.ts';
import { checkAnswer, overlaid, realGoProgram } from './testing/hostile.ts';
import { hostileFile, mutation } from './testing/hostile-arbitraries.ts';
import type { ByteReader } from './types.ts';

/** The real program takes about 3 ms; the rest is for the collector of the test itself. */
const cpuLimitMs = 500;
const timeout = 180_000;
const program = realGoProgram();

describe('hostile files', () => {
  it('the untouched program is fine, by .go.module alone', () => {
    expect(checkAnswer(bytesReader(program), cpuLimitMs)).toBe('ok');
    expect(planAttach(bytesReader(program))).toMatchObject({
      kind: 'ok',
      stripped: true,
      modulePath: 'github.com/microsoft/typescript-go',
    });
  });

  it(
    'random bytes, also behind a good ELF header, are refused',
    () => {
      fc.assert(
        fc.property(hostileFile, (bytes) => {
          expect(checkAnswer(bytesReader(bytes), cpuLimitMs)).toBe('refused');
        }),
        { numRuns: 2000 },
      );
    },
    timeout,
  );

  it(
    'a real program with bytes changed or cut off gives a refusal or points that are there',
    () => {
      fc.assert(
        fc.property(mutation(program), ({ overlay, size }) => {
          checkAnswer(overlaid(program, overlay, size), cpuLimitMs);
        }),
        { numRuns: 2000 },
      );
    },
    timeout,
  );
});

describe('bounds', () => {
  /** A file of 1 TB that repeats one page, with the real program's first bytes: counts what is read. */
  function endless(
    page: number,
    overlay: readonly (readonly [number, number])[],
  ): { reader: ByteReader; read: () => number } {
    let total = 0;
    const size = 2 ** 40;
    return {
      reader: {
        size,
        read(offset, length) {
          const bytes = new Uint8Array(Math.min(length, size - offset)).fill(page);
          total += bytes.length;
          if (offset < program.length)
            bytes.set(program.subarray(offset, Math.min(program.length, offset + bytes.length)));
          for (const [at, value] of overlay) if (at >= offset && at < offset + bytes.length) bytes[at - offset] = value;
          return bytes;
        },
      },
      read: () => total,
    };
  }

  it('reads little of an endless file', () => {
    const { reader, read } = endless(0, []);
    expect(checkAnswer(reader, cpuLimitMs)).toBe('ok');
    expect(read()).toBeLessThan(64 * 1024 * 1024);
  });

  it('stops at its budget where a table claims the whole of an endless file', () => {
    // The size of each section: its third 64-bit word from the end of the header, set to 256 GB.
    const view = new DataView(program.buffer, program.byteOffset);
    const table = Number(view.getBigUint64(40, true));
    const overlay = Array.from(
      { length: view.getUint16(60, true) - 1 },
      (_, i) => [table + 64 * (i + 1) + 32 + 4, 64] as const,
    );
    const { reader, read } = endless(0x41, overlay);
    checkAnswer(reader, 5 * cpuLimitMs);
    expect(read()).toBeLessThan(400 * 1024 * 1024);
  });
});
