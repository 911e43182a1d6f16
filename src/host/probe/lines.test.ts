import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineSplitter } from './lines.ts';

/** Cuts `bytes` at the given shares and feeds the pieces one by one. */
function splitAt(bytes: Buffer, cuts: readonly number[], splitter: LineSplitter): string[] {
  const positions = [0, ...cuts.map((cut) => Math.floor(cut * bytes.length)).sort((a, b) => a - b), bytes.length];
  return positions.slice(1).flatMap((end, i) => splitter.push(bytes.subarray(positions[i] ?? 0, end)));
}

describe('LineSplitter', () => {
  it('gives the same lines wherever the stream is cut, also within a character', () => {
    const line = fc.string({ unit: 'grapheme', maxLength: 30 }).map((text) => text.replaceAll('\n', ' '));
    const cut = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(line), fc.array(cut), (lines, cuts) => {
        const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''));
        expect(splitAt(bytes, cuts, new LineSplitter(1_000))).toEqual(lines);
      }),
    );
  });

  it('drops what is longer than allowed, whole, and counts it once', () => {
    const splitter = new LineSplitter(4);
    expect(splitter.push(Buffer.from('1234\n123'))).toEqual(['1234']);
    expect(splitter.push(Buffer.from('45'))).toEqual([]);
    expect(splitter.push(Buffer.from('6789'.repeat(100)))).toEqual([]);
    expect(splitter.push(Buffer.from('rest\nok\n12345\nok\n'))).toEqual(['ok', 'ok']);
    expect(splitter.tooLong).toBe(2);
  });
});
