import { type ElfFile, fileOffset, findSection } from '../elf/elf.ts';
import { pointerAt } from '../elf/relocations.ts';
import { refuse } from '../refusal.ts';
import type { Window } from '../window.ts';
import type { PcLineTable } from './pclntab.ts';

/** Offset of `text` in runtime.moduledata (runtime/symtab.go, the same from Go 1.22 to 1.26); `pcHeader` is its first word. */
const moduledataText = 176;

/**
 * Where Go's text begins: function offsets in .gopclntab count from here. Go 1.20 to 1.25 write it into the table's header; Go 1.26
 * writes 0 there, and only moduledata (section .go.module) or the symbol `runtime.text` tells.
 */
export function findTextStart(elf: ElfFile, file: Window, table: PcLineTable, runtimeText: number | undefined): number {
  const candidate = runtimeText ?? fromHeader(elf, file, table) ?? fromModuledata(elf, file, table);
  if (candidate === undefined) {
    refuse(
      'text-start-unknown',
      'neither runtime.text, .gopclntab nor .go.module tells where the code begins; build without -s',
    );
  }
  if (fileOffset(elf, candidate, { executable: true }) === undefined) {
    refuse('malformed', `the code is said to begin at 0x${candidate.toString(16)}, which is not executable`);
  }
  return candidate;
}

function fromHeader(elf: ElfFile, file: Window, table: PcLineTable): number | undefined {
  const value = pointerAt(elf, file, table.textStartField);
  return value === 0 ? undefined : value;
}

function fromModuledata(elf: ElfFile, file: Window, table: PcLineTable): number | undefined {
  const section = findSection(elf, file, '.go.module');
  if (section === undefined || section.size < moduledataText + 8) return undefined;
  // The first word points back at the table: proof that this is moduledata as we know it.
  if (pointerAt(elf, file, section.address) !== table.address) return undefined;
  const value = pointerAt(elf, file, section.address + moduledataText);
  return value === 0 ? undefined : value;
}
