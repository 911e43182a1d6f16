import { type ElfFile, findSection, parseElf } from './elf/elf.ts';
import { findStrings } from './elf/strings.ts';
import { readBuildInfo } from './go/build-info.ts';
import { orRefused, refuse } from './refusal.ts';
import type { ByteReader, GoVersionResult } from './types.ts';
import { ReadBudget, Window } from './window.ts';

const readBudgetBytes = 64 * 1024 * 1024;

/**
 * Is this a Go program, and of which version? Reads the headers and the build info only (a few hundred KB).
 * Answers for every ELF-64 architecture and Go version; whether it can be attached to, `planAttach` says.
 */
export function goVersion(reader: ByteReader): GoVersionResult {
  return orRefused((): GoVersionResult => {
    const file = new Window(reader, new ReadBudget(readBudgetBytes));
    const elf = parseElf(file);
    const buildInfo = readBuildInfo(elf, file);
    if (buildInfo === undefined) return whyNotGo(elf, file);
    return { kind: 'go', goVersion: buildInfo.goVersion, arch: elf.arch, buildInfo };
  });
}

/** A program without Go's build info: another Go compiler, a Go program whose build info was removed, or not Go at all. */
export function whyNotGo(elf: ElfFile, file: Window): never {
  if (findSection(elf, file, '.gopclntab') !== undefined) {
    refuse(
      'unsupported-go-version',
      'a Go program without build info (older than Go 1.13, or removed): its version is unknown',
    );
  }
  if (isTinyGo(elf, file)) refuse('tinygo', 'built with TinyGo: its collector is another one, nothing to attach to');
  refuse('not-go', 'not a Go program (no Go build info)');
}

/** TinyGo writes no build info; its runtime has functions that no other runtime has. */
function isTinyGo(elf: ElfFile, file: Window): boolean {
  const strings = findSection(elf, file, '.strtab');
  if (strings === undefined || strings.size > readBudgetBytes / 4) return false;
  return (
    findStrings(file, strings, ['tinygo_startTask', 'tinygo_launch', 'tinygo_register_fatal_signals'], false).size > 0
  );
}
