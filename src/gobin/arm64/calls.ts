import type { CallReader, CodeAround, GlobalLoad } from '../code/calls.ts';
import { field, matches, signedField, wordBytes } from './word.ts';

/** Between the load and the BL stand the loads of at most two or three further arguments. */
const lookBackWords = 10;
const pageBytes = 4096;

export const arm64Calls: CallReader = { forEachCall, loadedBefore };

/** `BL`. */
function forEachCall({ code, view }: CodeAround, tell: (at: number, target: number) => void): void {
  for (let at = 0; at + wordBytes <= code.length; at += wordBytes) {
    const word = view.getUint32(at, true);
    if (word >>> 26 === 0b100101) tell(at, at + wordBytes * signedField(word, 0, 26));
  }
}

/** A global is loaded by two instructions, one behind the other: ADRP, its page, then an ADD or a load with the rest of the address. */
function loadedBefore({ address, view }: CodeAround, call: number, load: GlobalLoad): number | undefined {
  const first = Math.max(wordBytes, call - lookBackWords * wordBytes);
  for (let at = call - wordBytes; at >= first; at -= wordBytes) {
    const [page, rest] = [view.getUint32(at - wordBytes, true), view.getUint32(at, true)];
    const isPair = matches(page, 0x9f00_0000, 0x9000_0000) && field(page, 0, 5) === field(rest, 5, 5);
    if (!isPair || !matches(rest, ...restOf[load])) continue;
    const pc = address + at - wordBytes;
    const pages = (signedField(page, 5, 19) << 2) | field(page, 29, 2);
    return pc - (pc % pageBytes) + pages * pageBytes + field(rest, 10, 12) - address;
  }
  return undefined;
}

const restOf: Readonly<Record<GlobalLoad, readonly [mask: number, bits: number]>> = {
  /** ADD $n, R0, R0. */
  receiver: [0xffc0_03ff, 0x9100_0000],
  /** MOVBU n(R), R3. */
  fourthByte: [0xffc0_001f, 0x3940_0003],
};
