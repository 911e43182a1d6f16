import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planAttach } from './plan.ts';
import { bytesReader } from './reader.ts';
import { compactProgram } from './testing/compact-program.ts';
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
        { numRuns: 300 },
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

  /** The real program with its header fields at the limits that are read. */
  const timed = (reader: ByteReader): number => {
    checkAnswer(reader, Number.POSITIVE_INFINITY);
    const times = [1, 2, 3].map(() => {
      const before = process.cpuUsage();
      planAttach(reader);
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1000;
    });
    return Math.min(...times);
  };

  it('takes little time for a position-independent program of relocations, none of which is the right one', () => {
    const compact = compactProgram(program, 'go1.26.8');
    const view = new DataView(compact.buffer);
    const table = Number(view.getBigUint64(40, true));
    const relocations = 24 * 3_000_000;
    view.setUint16(16, 3, true); // ET_DYN
    // The build info stays the first section; the names' section, the last, becomes relocations as well.
    const overlaySize = compact.length + relocations;
    const info = table + 64;
    const pclntab = table + 128;
    expect(view.getUint16(60, true)).toBe(4);
    const textStart = Number(view.getBigUint64(pclntab + 24, true)) + 24;
    view.setBigUint64(textStart, 0n, true);
    view.setUint32(info + 4, 4, true);
    view.setBigUint64(info + 32, BigInt(relocations), true);
    const reader: ByteReader = {
      size: overlaySize,
      read(offset, length) {
        const bytes = new Uint8Array(Math.max(0, Math.min(length, overlaySize - offset))).fill(8);
        if (offset < compact.length)
          bytes.set(compact.subarray(offset, Math.min(compact.length, offset + bytes.length)));
        return bytes;
      },
    };
    expect(planAttach(reader).kind).toBe('refused');
    expect(timed(reader)).toBeLessThan(cpuLimitMs);
  });

  it('does not count calls in what is no code', () => {
    const compact = compactProgram(program, 'go1.26.8');
    const plan = planAttach(bytesReader(compact));
    if (plan.kind === 'refused') throw new Error(plan.message);
    const [entry] = plan.points;
    if (!entry) throw new Error('no point');
    // The segment of this function, said to be 4 MB long and to hold nothing but the opcode of CALL.
    const view = new DataView(compact.buffer);
    const header = Array.from({ length: view.getUint16(56, true) }, (_, i) => 64 + 56 * i).find((at) => {
      const from = Number(view.getBigUint64(at + 16, true));
      return entry.address >= from && entry.address < from + Number(view.getBigUint64(at + 32, true));
    });
    if (header === undefined) throw new Error('no segment');
    const size = 4 * 1024 * 1024;
    view.setBigUint64(header + 8, BigInt(compact.length), true);
    view.setBigUint64(header + 32, BigInt(size), true);
    const bytes = new Uint8Array(compact.length + size).fill(0xe8);
    bytes.set(compact);
    expect(planAttach(bytesReader(bytes))).toMatchObject({ kind: 'refused', reason: 'unexpected-code' });
    expect(timed(bytesReader(bytes))).toBeLessThan(cpuLimitMs);
  });
});
