import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesReader } from './reader.ts';
import { checkAnswer, overlaid, realGoProgram } from './testing/hostile.ts';
import { hostileFile, mutation, runs } from './testing/hostile-arbitraries.ts';
import { decode } from './x86/decode.ts';

const cpuLimitMs = 2000;

/** The long runs of `hostile.test.ts`: `npm run fuzz`, or with `FUZZ_RUNS=10000` a shorter one. */
describe('hostile files, at length', () => {
  it('noise and ELF files with noise', () => {
    const property = fc.property(hostileFile, (bytes) => {
      expect(checkAnswer(bytesReader(bytes), cpuLimitMs)).toBe('refused');
    });
    fc.assert(property, { numRuns: runs(1_000_000) });
  });

  it('a changed real program', () => {
    const program = realGoProgram();
    const property = fc.property(mutation(program), ({ overlay, size }) => {
      checkAnswer(overlaid(program, overlay, size), cpuLimitMs);
    });
    fc.assert(property, { numRuns: runs(200_000) });
  });

  it('any 16 bytes decode to 1 to 15 bytes that do not depend on what follows', () => {
    const property = fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.nat(255), (bytes, filler) => {
      const instruction = decode(bytes, 0);
      if (instruction === undefined) return;
      expect(instruction.length).toBeGreaterThan(0);
      expect(instruction.length).toBeLessThan(16);
      const other = bytes.slice().fill(filler, instruction.length);
      expect(decode(other, 0)).toEqual(instruction);
    });
    fc.assert(property, { numRuns: runs(1_000_000) });
  });
});
