import type { ZeroTest } from '../code/instruction.ts';
import { field, matches, wordAt } from './word.ts';

/** `CBZ r`, `CBNZ r`, and `TBZ $0, r`, `TBNZ $0, r`, by which the compiler asks for a bool. */
export function zeroTest(code: Uint8Array, at: number): ZeroTest | undefined {
  const word = wordAt(code, at) ?? 0;
  const register = field(word, 0, 5);
  const asksAll = matches(word, 0x7e00_0000, 0x3400_0000);
  const asksLowest = matches(word, 0xfef8_0000, 0x3600_0000);
  if (register === 31 || !(asksAll || asksLowest)) return undefined;
  return { register, jumpsOnZero: field(word, 24, 1) === 0 };
}
