import type { ElfFile } from '../elf/elf.ts';
import type { Window } from '../window.ts';

/** The runtime's code is together; its functions that call each other are far less than this apart (its whole text is about 0.6 MB). */
const reachBytes = 2 * 1024 * 1024;

/** Code and the address of its first byte. */
export interface CodeAround {
  readonly address: number;
  readonly code: Uint8Array;
  readonly view: DataView;
}

/** What is executable within reach of an address; undefined where that itself is not. */
export function codeAround(elf: ElfFile, file: Window, address: number): CodeAround | undefined {
  const segment = elf.segments.find((s) => s.executable && address >= s.address && address < s.address + s.fileSize);
  if (segment === undefined) return undefined;
  const from = Math.max(segment.address, address - reachBytes);
  const to = Math.min(segment.address + segment.fileSize, address + reachBytes);
  const code = file.upTo(segment.offset + (from - segment.address), to - from);
  return { address: from, code, view: new DataView(code.buffer, code.byteOffset, code.byteLength) };
}

/** How a processor's calls by address, and the globals that are loaded before them, are found in code. Indices are into it. */
export interface CallReader {
  /** Tells every call that leads to an address, and what looks like one by chance. */
  readonly forEachCall: (code: CodeAround, tell: (at: number, target: number) => void) => void;
  /** Index that the nearest load before a call loads, or loads from. */
  readonly loadedBefore: (code: CodeAround, call: number, load: GlobalLoad) => number | undefined;
}

/**
 * What of a global a function is called with: `receiver`, its address as the first argument; `fourthByte`, the value of one of one byte
 * as the fourth.
 */
export type GlobalLoad = 'receiver' | 'fourthByte';

/**
 * How many calls of an address there are around it. What looks like one by chance would have to hit all bits of the address.
 *
 * Why it is asked: profile-guided optimisation (-pgo) inlines runtime functions at hot call sites. The function then still exists,
 * but what goes through the inlined copy passes the probe by: measurements would be too good, silently.
 */
export function countCallSites(calls: CallReader, elf: ElfFile, file: Window, address: number): number {
  const code = codeAround(elf, file, address);
  if (code === undefined) return 0;
  const index = address - code.address;
  let count = 0;
  calls.forEachCall(code, (_at, target) => {
    if (target === index) count++;
  });
  return count;
}
