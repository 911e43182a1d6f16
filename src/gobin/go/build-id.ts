import { type ElfFile, findSection } from '../elf/elf.ts';
import type { Window } from '../window.ts';

const maxIdBytes = 512;

/** The Go linker's build ID: an ELF note named `Go` of type 4 in `.note.go.buildid`. */
export function readBuildId(elf: ElfFile, file: Window): string | undefined {
  const note = findSection(elf, file, '.note.go.buildid');
  if (note === undefined || note.size < 16) return undefined;
  const nameBytes = file.u32(note.offset);
  const idBytes = file.u32(note.offset + 4);
  const isGo = nameBytes === 4 && file.u32(note.offset + 8) === 4 && file.u32(note.offset + 12) === 0x6f47;
  if (!isGo || idBytes === 0 || idBytes > maxIdBytes || 16 + idBytes > note.size) return undefined;
  return String.fromCharCode(...file.bytes(note.offset + 16, idBytes));
}
