import { refuse } from '../refusal.ts';
import type { Window } from '../window.ts';
import type { ElfFile } from './elf.ts';
import { fileOffset } from './elf.ts';

const shtRela = 4;
const entryBytes = 24;
/** R_X86_64_RELATIVE, R_AARCH64_RELATIVE (the psABIs): the loader writes load base + addend. */
const relativeTypes: Readonly<Partial<Record<ElfFile['arch'], number>>> = { amd64: 8, arm64: 1027 };
/** A position-independent kube-apiserver has 0.6 million. */
const maxEntries = 3_000_000;

/**
 * The link-time value of the pointer at `address`: what the file holds there, else the addend of its RELATIVE relocation
 * (in position-independent programs the linker leaves the word itself zero). 0 when neither says anything.
 */
export function pointerAt(elf: ElfFile, file: Window, address: number): number {
  const at = fileOffset(elf, address);
  const stored = at === undefined ? 0 : file.u64(at);
  const relativeType = relativeTypes[elf.arch];
  if (stored !== 0 || !elf.pie || relativeType === undefined) return stored;
  for (const section of elf.sections) {
    if (section.type !== shtRela || section.offset + section.size > file.size) continue;
    if (section.size > maxEntries * entryBytes) refuse('too-large', `a table of ${section.size} bytes of relocations`);
    const end = section.offset + section.size - entryBytes;
    for (let entry = section.offset; entry <= end; entry += entryBytes) {
      if (file.u32(entry + 8) !== relativeType || file.u32(entry + 12) !== 0) continue;
      if (file.u64(entry) === address) return file.u64(entry + 16);
    }
  }
  return 0;
}
