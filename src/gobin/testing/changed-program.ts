/** Programs with their tables changed: field by field, at the places that the readers look at. */
import type { Random } from '../../../test/support/fuzz/random.ts';
import type { ByteReader } from '../types.ts';
import { interestingOffsets, overlaid } from './hostile.ts';

export interface Program {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** `[offset, length]` of what is read. */
  readonly spots: readonly (readonly [number, number])[];
}

export const programOf = (name: string, bytes: Uint8Array): Program => ({
  name,
  bytes,
  spots: interestingOffsets(bytes).filter(([, length]) => length > 0),
});

export interface Changed {
  readonly program: Program;
  readonly changes: readonly (readonly [number, number])[];
  readonly size: number;
}

const extremes: readonly bigint[] = [
  0n,
  1n,
  0xffn,
  0x7fffn,
  0xffffn,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 40n,
  2n ** 53n,
  2n ** 63n,
  2n ** 64n - 1n,
];
const widths = [1, 1, 2, 4, 8] as const;

/** One to six fields changed; now and then the file cut off. */
export function changeProgram(random: Random, programs: readonly Program[]): Changed {
  const program = random.of(programs);
  if (program === undefined) throw new Error('no program to change');
  const { bytes } = program;
  const changes: (readonly [number, number])[] = [];
  for (let count = random.below(6); count >= 0; count--) {
    const width = random.of(widths) ?? 1;
    const at = placeIn(random, program, width);
    for (const [i, byte] of valueFor(random, bytes, at, width).entries()) changes.push([at + i, byte]);
  }
  return { program, changes, size: random.below(20) === 0 ? random.below(bytes.length) : bytes.length };
}

export function readerOf({ program, changes, size }: Changed): ByteReader {
  return overlaid(program.bytes, changes, size);
}

export const showChanged = ({ program, changes, size }: Changed): string =>
  `${program.name}, ${size} bytes, ${JSON.stringify(changes)}`;

function placeIn(random: Random, { bytes, spots }: Program, width: number): number {
  const [start, length] = random.below(10) === 0 ? [0, bytes.length] : (random.of(spots) ?? [0, bytes.length]);
  const offset = random.below(length);
  // Fields are aligned within their tables; code is not.
  const aligned = random.below(4) === 0 ? offset : offset - (offset % width);
  return Math.max(0, Math.min(bytes.length - width, start + aligned));
}

/** Something extreme, a neighbour's value, the value a little off, or noise; little-endian. */
function valueFor(random: Random, bytes: Uint8Array, at: number, width: number): Uint8Array {
  const word = new DataView(new ArrayBuffer(8));
  const now = bytes.subarray(at, at + width);
  new Uint8Array(word.buffer).set(now);
  switch (random.below(4)) {
    case 0:
      word.setBigUint64(0, random.of(extremes) ?? 0n, true);
      break;
    case 1: {
      const other = Math.max(0, Math.min(bytes.length - width, at + (random.below(64) - 32) * width));
      new Uint8Array(word.buffer).set(bytes.subarray(other, other + width));
      break;
    }
    case 2:
      word.setBigInt64(0, word.getBigInt64(0, true) + BigInt(random.below(33) - 16), true);
      break;
    default:
      word.setUint32(0, random.next(), true);
      word.setUint32(4, random.next(), true);
  }
  return new Uint8Array(word.buffer).subarray(0, width);
}
