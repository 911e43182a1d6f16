/** Changes real inputs a little: bytes, stretches, pieces of others, and words that mean something in the format. */
import type { Random } from './random.ts';

export interface Seeds {
  /** Real inputs. */
  readonly corpus: readonly Uint8Array[];
  /** Words of the format. */
  readonly tokens?: readonly string[];
  readonly maxBytes?: number;
}

const everyFormatsTokens = ['', '\0', '\n', ' ', '-1', '0', '18446744073709551616', '9'.repeat(40), '1e999', 'NaN'];
const extremes = [0, 1, 0x7f, 0x80, 0xff];

/** The next input: one to eight changes to one of the corpus. */
export function mutate(random: Random, { corpus, tokens = [], maxBytes = 64 * 1024 }: Seeds): Uint8Array {
  const words = [...everyFormatsTokens, ...tokens];
  let bytes: Buffer = Buffer.from(random.of(corpus) ?? new Uint8Array());
  for (let change = random.below(8); change >= 0; change--) bytes = changed(random, bytes, corpus, words);
  return bytes.subarray(0, maxBytes);
}

function changed(random: Random, bytes: Buffer, corpus: readonly Uint8Array[], words: readonly string[]): Buffer {
  const at = random.below(bytes.length + 1);
  const until = Math.min(bytes.length, at + random.below(64));
  const spliced = (middle: Uint8Array, rest = at): Buffer =>
    Buffer.concat([bytes.subarray(0, at), middle, bytes.subarray(rest)]);
  switch (random.below(9)) {
    case 0:
      return overwritten(bytes, at, random.of(extremes) ?? 0);
    case 1:
      return overwritten(bytes, at, random.next());
    case 2:
      return overwritten(bytes, at, (bytes[at] ?? 0) ^ (1 << random.below(8)));
    case 3:
      return spliced(new Uint8Array(), until);
    case 4:
      return spliced(Buffer.from(random.of(words) ?? ''), random.below(2) ? at : until);
    case 5:
      return spliced(bytes.subarray(at, until));
    case 6:
      return random.below(4) === 0 ? bytes.subarray(0, at) : bytes;
    case 7: {
      const other = random.of(corpus) ?? bytes;
      const from = random.below(other.length);
      return spliced(other.subarray(from, from + random.below(256)));
    }
    default: {
      // Now and then something long, to reach the limits.
      const length = random.below(64) ? random.below(80) : random.below(40_000);
      return spliced(Buffer.alloc(length, random.below(2) ? (bytes[at] ?? 0x5b) : random.next() & 0xff));
    }
  }
}

function overwritten(bytes: Buffer, at: number, value: number): Buffer {
  if (at < bytes.length) bytes[at] = value & 0xff;
  return bytes;
}
