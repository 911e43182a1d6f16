/** The instruction at `code[at]`; undefined where the code ends before it does. A64 instructions are words of 32 bits. */
export function wordAt(code: Uint8Array, at: number): number | undefined {
  const [a, b, c, d] = [code[at], code[at + 1], code[at + 2], code[at + 3]];
  if (a === undefined || b === undefined || c === undefined || d === undefined) return undefined;
  return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
}

export const wordBytes = 4;

/** Does the word have these bits where the mask is set? */
export function matches(word: number | undefined, mask: number, bits: number): boolean {
  return word !== undefined && (word & mask) >>> 0 === bits;
}

/** Bits `low` to `low + width - 1`. */
export function field(word: number, low: number, width: number): number {
  return (word >>> low) & (2 ** width - 1);
}

export function signedField(word: number, low: number, width: number): number {
  return (field(word, low, width) << (32 - width)) >> (32 - width);
}
