import type { ElfFile } from '../elf/elf.ts';
import type { Window } from '../window.ts';
import type { FunctionRange } from './pclntab.ts';

/** The runtime's code is together (about 0.6 MB). */
const reachBytes = 2 * 1024 * 1024;
const callOpcode = 0xe8;
const callBytes = 5;
const displacementBytes = 4;

/** Opcodes that end in a displacement from RIP; Go's register ABI says which register holds which integer argument. */
export const loads = {
  /** LEAQ global(SB), AX: the first argument, so the receiver, is the address of a global. */
  receiver: [0x48, 0x8d, 0x05],
  /** MOVZX global(SB), DI: the fourth is the value of a global of one byte. */
  fourthByte: [0x0f, 0xb6, 0x3d],
} as const;
export type Load = (typeof loads)[keyof typeof loads];
/** Between the LEAQ and the CALL stand the loads of at most two or three further arguments. */
const lookBackBytes = 40;

export interface GlobalVote {
  /** Link-time address that the call sites load, or load from. */
  readonly address: number;
  /** Call sites that load it. */
  readonly sites: number;
  /** Call sites at which another address was loaded, or something that looks like it by chance. */
  readonly otherSites: number;
}

/**
 * The global variable that functions are called with, told by the code that calls them: before `CALL method` stands `LEAQ global(SB), AX`.
 * That is how a stripped program still tells where its globals lie. Undefined when no call site shows one.
 */
export function globalPassedTo(
  elf: ElfFile,
  file: Window,
  functions: readonly FunctionRange[],
  load: Load,
): GlobalVote | undefined {
  const first = functions[0];
  if (first === undefined) return undefined;
  const segment = elf.segments.find((s) => s.executable && contains(s.address, s.fileSize, first.address));
  if (segment === undefined) return undefined;
  const from = Math.max(segment.address, first.address - reachBytes);
  const to = Math.min(segment.address + segment.fileSize, first.address + reachBytes);
  const code = file.upTo(segment.offset + (from - segment.address), to - from);
  const view = new DataView(code.buffer, code.byteOffset, code.byteLength);
  const targets = new Set(functions.map(({ address }) => address - from));
  const votes = new Map<number, number>();
  for (
    let at = code.indexOf(callOpcode);
    at >= 0 && at + callBytes <= code.length;
    at = code.indexOf(callOpcode, at + 1)
  ) {
    if (!targets.has(at + callBytes + view.getInt32(at + 1, true))) continue;
    const loaded = loadedBefore(code, view, at, load);
    if (loaded !== undefined) votes.set(from + loaded, (votes.get(from + loaded) ?? 0) + 1);
  }
  const [most] = [...votes].sort((a, b) => b[1] - a[1]);
  if (most === undefined) return undefined;
  const all = [...votes.values()].reduce((sum, count) => sum + count, 0);
  return { address: most[0], sites: most[1], otherSites: all - most[1] };
}

/** The address in the nearest load before a call, relative to the code's start. */
function loadedBefore(code: Uint8Array, view: DataView, call: number, load: Load): number | undefined {
  const loadBytes = load.length + displacementBytes;
  for (let at = call - loadBytes; at >= Math.max(0, call - lookBackBytes); at--) {
    if (load.every((byte, i) => code[at + i] === byte)) return at + loadBytes + view.getInt32(at + load.length, true);
  }
  return undefined;
}

function contains(start: number, size: number, address: number): boolean {
  return address >= start && address < start + size;
}
