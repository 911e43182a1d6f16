import { type CallReader, codeAround, type GlobalLoad } from '../code/calls.ts';
import type { ElfFile } from '../elf/elf.ts';
import type { Window } from '../window.ts';
import type { FunctionRange } from './pclntab.ts';

export interface GlobalVote {
  /** Link-time address that the call sites load, or load from. */
  readonly address: number;
  /** Call sites that load it. */
  readonly sites: number;
  /** Call sites at which another address was loaded, or something that looks like it by chance. */
  readonly otherSites: number;
}

/**
 * The global variable that functions are called with, told by the code that calls them: before the call of a method stands the load of the
 * address. That is how a stripped program still tells where its globals lie. Undefined when no call site shows one.
 */
export function globalPassedTo(
  calls: CallReader,
  elf: ElfFile,
  file: Window,
  functions: readonly FunctionRange[],
  load: GlobalLoad,
): GlobalVote | undefined {
  const first = functions[0];
  const code = first === undefined ? undefined : codeAround(elf, file, first.address);
  if (code === undefined) return undefined;
  const targets = new Set(functions.map(({ address }) => address - code.address));
  const votes = new Map<number, number>();
  calls.forEachCall(code, (at, target) => {
    if (!targets.has(target)) return;
    const loaded = calls.loadedBefore(code, at, load);
    if (loaded !== undefined) votes.set(code.address + loaded, (votes.get(code.address + loaded) ?? 0) + 1);
  });
  const [most] = [...votes].sort((a, b) => b[1] - a[1]);
  if (most === undefined) return undefined;
  const all = [...votes.values()].reduce((sum, count) => sum + count, 0);
  return { address: most[0], sites: most[1], otherSites: all - most[1] };
}
