import type { ElfFile } from '../elf/elf.ts';
import type { Window } from '../window.ts';
import type { FunctionRange } from './pclntab.ts';

/** The runtime's code is together (about 0.6 MB). */
const reachBytes = 2 * 1024 * 1024;
const callOpcode = 0xe8;
const callBytes = 5;
/** LEAQ disp32(RIP), AX: how compiled Go loads the address of a global receiver (first integer argument in the register ABI). */
const leaAx = [0x48, 0x8d, 0x05] as const;
const leaBytes = 7;
/** Between the LEAQ and the CALL stand the loads of at most two or three further arguments. */
const lookBackBytes = 40;

export interface ReceiverVote {
  /** Link-time address that the call sites load. */
  readonly address: number;
  /** Call sites that load it. */
  readonly sites: number;
  /** Call sites at which another address was loaded, or something that looks like it by chance. */
  readonly otherSites: number;
}

/**
 * The global variable on which methods are called, told by the code that calls them: before `CALL method` stands `LEAQ global(SB), AX`.
 * That is how a stripped program still tells where its globals lie. Undefined when no call site shows one.
 */
export function receiverOf(elf: ElfFile, file: Window, methods: readonly FunctionRange[]): ReceiverVote | undefined {
  const first = methods[0];
  if (first === undefined) return undefined;
  const segment = elf.segments.find((s) => s.executable && contains(s.address, s.fileSize, first.address));
  if (segment === undefined) return undefined;
  const from = Math.max(segment.address, first.address - reachBytes);
  const to = Math.min(segment.address + segment.fileSize, first.address + reachBytes);
  const code = file.upTo(segment.offset + (from - segment.address), to - from);
  const view = new DataView(code.buffer, code.byteOffset, code.byteLength);
  const targets = new Set(methods.map((method) => method.address - from));
  const votes = new Map<number, number>();
  for (
    let at = code.indexOf(callOpcode);
    at >= 0 && at + callBytes <= code.length;
    at = code.indexOf(callOpcode, at + 1)
  ) {
    if (!targets.has(at + callBytes + view.getInt32(at + 1, true))) continue;
    const loaded = loadedBefore(code, view, at);
    if (loaded !== undefined) votes.set(from + loaded, (votes.get(from + loaded) ?? 0) + 1);
  }
  const [most] = [...votes].sort((a, b) => b[1] - a[1]);
  if (most === undefined) return undefined;
  const all = [...votes.values()].reduce((sum, count) => sum + count, 0);
  return { address: most[0], sites: most[1], otherSites: all - most[1] };
}

/** The address in the nearest LEAQ before a call, relative to the code's start. */
function loadedBefore(code: Uint8Array, view: DataView, call: number): number | undefined {
  for (let at = call - leaBytes; at >= Math.max(0, call - lookBackBytes); at--) {
    if (leaAx.every((byte, i) => code[at + i] === byte)) return at + leaBytes + view.getInt32(at + leaAx.length, true);
  }
  return undefined;
}

function contains(start: number, size: number, address: number): boolean {
  return address >= start && address < start + size;
}
