import { refuse } from '../refusal.ts';
import type { Window } from '../window.ts';
import { type ElfFile, findSection, type Section } from './elf.ts';
import { findStrings } from './strings.ts';

export interface Symbol64 {
  readonly address: number;
  readonly size: number;
}

const shtSymtab = 2;
const shtDynsym = 11;
const entryBytes = 24;
const maxSymbols = 1_000_000;

/**
 * Looks names up in `.symtab`. Undefined when there is no symbol table.
 * A name that stands for two different addresses is left out: the caller has another source.
 */
export function findSymbols(elf: ElfFile, file: Window, names: readonly string[]): Map<string, Symbol64> | undefined {
  return findIn(elf, file, findSection(elf, file, '.symtab'), shtSymtab, names);
}

/** The same in `.dynsym`: what a shared object exports (address not 0) and imports (0). */
export function findDynamicSymbols(
  elf: ElfFile,
  file: Window,
  names: readonly string[],
): Map<string, Symbol64> | undefined {
  return findIn(elf, file, findSection(elf, file, '.dynsym'), shtDynsym, names);
}

function findIn(
  elf: ElfFile,
  file: Window,
  table: Section | undefined,
  type: number,
  names: readonly string[],
): Map<string, Symbol64> | undefined {
  if (table === undefined || table.type !== type) return undefined;
  const strings = elf.sections[table.link];
  if (strings === undefined) refuse('malformed', 'the symbol table names a string table that does not exist');
  if (strings.offset + strings.size > file.size)
    refuse('truncated', 'the file ends inside its symbol names: it is cut off');
  const count = Math.floor(table.size / entryBytes);
  if (count > maxSymbols) refuse('too-large', `a symbol table of ${count} entries`);

  const nameByOffset = new Map<number, string>();
  for (const [name, offsets] of findStrings(file, strings, names, false)) {
    for (const offset of offsets) nameByOffset.set(offset, name);
  }
  const found = new Map<string, Symbol64>();
  if (nameByOffset.size === 0) return found;
  const ambiguous = new Set<string>();
  for (let i = 0; i < count; i++) {
    const at = table.offset + i * entryBytes;
    const name = nameByOffset.get(file.u32(at));
    if (name === undefined) continue;
    const symbol = { address: file.u64(at + 8), size: file.u64(at + 16) };
    const before = found.get(name);
    if (before !== undefined && before.address !== symbol.address) ambiguous.add(name);
    found.set(name, symbol);
  }
  for (const name of ambiguous) found.delete(name);
  return found;
}
