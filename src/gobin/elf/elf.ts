import { refuse } from '../refusal.ts';
import type { Window } from '../window.ts';

/** Section header (Elf64_Shdr), the parts used here. */
export interface Section {
  readonly name: string;
  readonly type: number;
  readonly address: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
}

/** Loadable segment (Elf64_Phdr with PT_LOAD). */
export interface Segment {
  readonly executable: boolean;
  readonly address: number;
  readonly offset: number;
  readonly fileSize: number;
}

export interface ElfFile {
  readonly arch: 'amd64' | 'arm64' | 'other';
  readonly pie: boolean;
  readonly sections: readonly Section[];
  readonly segments: readonly Segment[];
}

/** Values from the System V ABI, ELF-64 object file format. */
const machines = new Map<number, 'amd64' | 'arm64'>([
  [62, 'amd64'],
  [183, 'arm64'],
]);
const etExec = 2;
const etDyn = 3;
const ptLoad = 1;
const pfExec = 1;
export const shtNobits = 8;
/** More than any linked program has (Go writes about 25 sections and 10 segments). */
const maxSections = 4096;
const maxSegments = 512;
const maxNameBytes = 128;

export function parseElf(file: Window): ElfFile {
  checkIdent(file);
  const type = file.u16(16);
  if (type !== etExec && type !== etDyn) refuse('malformed', `ELF type ${type} is not an executable program`);
  return {
    arch: machines.get(file.u16(18)) ?? 'other',
    pie: type === etDyn,
    sections: parseSections(file),
    segments: parseSegments(file),
  };
}

function checkIdent(file: Window): void {
  const ident = file.upTo(0, 20);
  const isElf = ident[0] === 0x7f && ident[1] === 0x45 && ident[2] === 0x4c && ident[3] === 0x46;
  if (!isElf) refuse('not-elf', 'not an ELF file (a script, or a program for another system)');
  if (ident.length < 20) refuse('truncated', 'the ELF header is cut off');
  if (ident[4] !== 2) refuse('unsupported-arch', 'a 32-bit program; only 64-bit is supported');
  if (ident[5] !== 1) refuse('unsupported-arch', 'a big-endian program; only little-endian is supported');
}

function parseSegments(file: Window): Segment[] {
  const table = file.u64(32);
  const entrySize = file.u16(54);
  const count = file.u16(56);
  if (count === 0) refuse('malformed', 'no program headers: nothing of this file would be loaded');
  if (entrySize !== 56 || count > maxSegments)
    refuse('malformed', `a program header table of ${count} × ${entrySize} bytes`);
  const segments: Segment[] = [];
  for (let i = 0; i < count; i++) {
    const at = table + i * entrySize;
    if (file.u32(at) !== ptLoad) continue;
    segments.push({
      executable: (file.u32(at + 4) & pfExec) !== 0,
      offset: file.u64(at + 8),
      address: file.u64(at + 16),
      fileSize: file.u64(at + 32),
    });
  }
  return segments;
}

function parseSections(file: Window): Section[] {
  const table = file.u64(40);
  const entrySize = file.u16(58);
  const count = file.u16(60);
  const namesIndex = file.u16(62);
  if (table === 0 || count === 0) {
    refuse('no-sections', 'the section headers were removed (packed or super-stripped): Go tables cannot be found');
  }
  if (entrySize !== 64 || count > maxSections)
    refuse('malformed', `a section header table of ${count} × ${entrySize} bytes`);
  if (namesIndex >= count) refuse('malformed', 'the table of section names does not exist');
  const namesAt = table + namesIndex * entrySize;
  const names = { offset: file.u64(namesAt + 24), size: file.u64(namesAt + 32) };
  if (names.offset + names.size > file.size)
    refuse('truncated', 'the file ends before its section names: it is cut off');
  const headers = file.fork();
  const sections: Section[] = [];
  for (let i = 0; i < count; i++) {
    const at = table + i * entrySize;
    const nameAt = headers.u32(at);
    sections.push({
      name: nameAt < names.size ? cString(file, names.offset + nameAt) : '',
      type: headers.u32(at + 4),
      address: headers.u64(at + 16),
      offset: headers.u64(at + 24),
      size: headers.u64(at + 32),
      link: headers.u32(at + 40),
    });
  }
  return sections;
}

function cString(file: Window, offset: number): string {
  const bytes = file.upTo(offset, maxNameBytes);
  const end = bytes.indexOf(0);
  return String.fromCharCode(...(end < 0 ? bytes : bytes.subarray(0, end)));
}

/** The section of this name with bytes in the file. Refuses one that reaches past the end of the file. */
export function findSection(elf: ElfFile, file: Window, name: string): Section | undefined {
  const section = elf.sections.find((s) => s.name === name && s.type !== shtNobits);
  if (section !== undefined && section.offset + section.size > file.size) {
    refuse('truncated', `the file ends inside its ${name} section: it is cut off`);
  }
  return section;
}

/** File offset of a virtual address, or undefined when no loaded segment has it in the file. */
export function fileOffset(
  elf: ElfFile,
  address: number,
  need: { executable: boolean } = { executable: false },
): number | undefined {
  for (const segment of elf.segments) {
    if (need.executable && !segment.executable) continue;
    if (address >= segment.address && address < segment.address + segment.fileSize) {
      return address - segment.address + segment.offset;
    }
  }
  return undefined;
}
