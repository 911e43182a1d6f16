import { type ElfFile, findSection, type Section } from '../elf/elf.ts';
import { findStrings } from '../elf/strings.ts';
import { orRefused, refuse } from '../refusal.ts';
import type { Window } from '../window.ts';

/** A function's code, `[address, end)`; the end may include padding up to the next function. */
export interface FunctionRange {
  readonly address: number;
  readonly end: number;
}

/**
 * Header of `.gopclntab` (runtime.pcHeader, since Go 1.20): magic 0xfffffff1, two zero bytes, minimal instruction length, pointer
 * size, then words: functions, files, text start (0 since Go 1.26), and offsets of the tables of names, units, files, PCs, functions.
 */
export interface PcLineTable {
  /** Virtual address of the header. */
  readonly address: number;
  readonly functionCount: number;
  /** Virtual address of the header's text start word. */
  readonly textStartField: number;
  readonly names: { readonly offset: number; readonly size: number };
  readonly functions: { readonly offset: number; readonly size: number };
}

const magicGo120 = 0xfffffff1;
const maxFunctions = 1_000_000;
/** Position-independent programs had it under the second name before Go 1.26. */
const sectionNames = ['.gopclntab', '.data.rel.ro.gopclntab'];
/** GNU ld merges the second into this one (cgo and -buildmode=pie before Go 1.26). */
const mergedSection = '.data.rel.ro';
/** The byte before the pointer's size: how long the shortest instruction is. */
const instructionBytes: Readonly<Record<ElfFile['arch'], number>> = { amd64: 1, arm64: 4, other: 1 };
const headerBytes = 72;
const maxScanBytes = 64 * 1024 * 1024;

/** Where the table lies; ends before `size` when it shares its section. */
type Place = Pick<Section, 'address' | 'offset' | 'size'>;

export function readPcLineTable(elf: ElfFile, file: Window): PcLineTable | undefined {
  const named = sectionNames.map((name) => findSection(elf, file, name)).find((s) => s !== undefined);
  if (named !== undefined) return parsePcLineTable(file, named);
  const merged = findSection(elf, file, mergedSection);
  return merged === undefined ? undefined : scanFor(file, merged, instructionBytes[elf.arch]);
}

/** Looks for the header's fixed bytes on the table's alignment, and takes the first place where the header also makes sense. */
function scanFor(file: Window, section: Place, shortest: number): PcLineTable | undefined {
  const last = Math.min(section.size, maxScanBytes) - headerBytes;
  for (let skip = 0; skip <= last; skip += 8) {
    const at = section.offset + skip;
    if (file.u32(at) !== magicGo120 || file.u32(at + 4) !== 0x08000000 + shortest * 0x10000) continue;
    const place = { address: section.address + skip, offset: at, size: section.size - skip };
    const table = orRefused(() => parsePcLineTable(file, place));
    if (!('kind' in table)) return table;
  }
  return undefined;
}

function parsePcLineTable(file: Window, section: Place): PcLineTable {
  const at = section.offset;
  if (section.size < headerBytes) refuse('truncated', 'the .gopclntab section is too short for its header');
  const magic = file.u32(at);
  if (magic !== magicGo120 || file.u16(at + 4) !== 0 || file.u8(at + 6) === 0 || file.u8(at + 7) !== 8) {
    refuse(
      'unsupported-pclntab',
      `the .gopclntab header begins 0x${magic.toString(16)}: another format than Go 1.20 to 1.26 write`,
    );
  }
  const word = (index: number): number => file.u64(at + 8 + 8 * index);
  const [functionCount, namesAt, unitsAt, functionsAt] = [word(0), word(3), word(4), word(7)];
  const ordered = headerBytes <= namesAt && namesAt <= unitsAt && unitsAt <= functionsAt && functionsAt <= section.size;
  if (!ordered) refuse('malformed', 'the tables of .gopclntab are out of order');
  if (functionCount > maxFunctions || functionsAt + functionCount * 8 + 4 > section.size) {
    refuse('malformed', `.gopclntab says it has ${functionCount} functions, more than it can hold`);
  }
  return {
    address: section.address,
    functionCount,
    textStartField: section.address + 24,
    names: { offset: at + namesAt, size: unitsAt - namesAt },
    functions: { offset: at + functionsAt, size: section.size - functionsAt },
  };
}

/** Looks names up. Entries are (entry offset, offset of the function's record); a record is (entry offset, name offset, …), all 32 bits. */
export function findFunctions(
  file: Window,
  table: PcLineTable,
  textStart: number,
  names: readonly string[],
): Map<string, FunctionRange> {
  const nameByOffset = new Map<number, string>();
  for (const [name, offsets] of findStrings(file, table.names, names, true)) {
    for (const offset of offsets) nameByOffset.set(offset, name);
  }
  const found = new Map<string, FunctionRange>();
  if (nameByOffset.size === 0) return found;
  const records = file.fork();
  let lastRecord = 0;
  for (let i = 0; i < table.functionCount; i++) {
    const at = table.functions.offset + i * 8;
    const record = file.u32(at + 4);
    // The linker writes records in the functions' order; without this check a hostile table could make each step a far jump.
    if (record < lastRecord || record + 8 > table.functions.size)
      refuse('malformed', 'the function records of .gopclntab are out of order');
    lastRecord = record;
    const name = nameByOffset.get(records.u32(table.functions.offset + record + 4));
    if (name === undefined) continue;
    if (found.has(name)) refuse('unexpected-code', `two functions are named ${name}`);
    found.set(name, { address: textStart + file.u32(at), end: textStart + file.u32(at + 8) });
    if (found.size === nameByOffset.size) break;
  }
  return found;
}
