import { type ElfFile, fileOffset, findSection } from '../elf/elf.ts';
import { refuse } from '../refusal.ts';
import type { BuildInfo } from '../types.ts';
import type { Window } from '../window.ts';

/**
 * The `.go.buildinfo` section, as debug/buildinfo reads it: a 32-byte header (magic, pointer size at 14, flags at 15), then
 * since Go 1.18 (flag 2) two varint-prefixed strings; before, two pointers to Go string headers.
 */
const magic = '\xff Go buildinf:';
const headerBytes = 32;
const alignBytes = 16;
const inlineFlag = 2;
const bigEndianFlag = 1;
/** `infoStart` and `infoEnd` of cmd/go/internal/modload: 16 bytes of frame on each side of the module text. */
const frameBytes = 16;
const maxVersionBytes = 1024;
const maxModuleBytes = 4 * 1024 * 1024;

export function readBuildInfo(elf: ElfFile, file: Window): BuildInfo | undefined {
  const section = findSection(elf, file, '.go.buildinfo');
  if (section === undefined) return undefined;
  const header = findHeader(file, section);
  if (header === undefined) return undefined;
  const flags = file.u8(header + 15);
  const raw = (flags & inlineFlag) !== 0 ? inlineStrings(file, header) : pointedStrings(elf, file, header, flags);
  if (raw.version === '') return undefined;
  return { goVersion: raw.version, ...parseModuleText(unframe(raw.module)) };
}

function findHeader(file: Window, section: { offset: number; size: number }): number | undefined {
  const lastStart = section.offset + Math.min(section.size, 64 * 1024) - headerBytes;
  for (let at = section.offset; at <= lastStart; at += alignBytes) {
    if (latin1(file.bytes(at, magic.length)) === magic) return at;
  }
  return undefined;
}

interface RawStrings {
  readonly version: string;
  /** Still framed, as bytes. */
  readonly module: Uint8Array;
}

function inlineStrings(file: Window, header: number): RawStrings {
  const version = varintBytes(file, header + headerBytes, maxVersionBytes);
  const versionText = utf8(version.bytes);
  return { version: versionText, module: varintBytes(file, version.end, maxModuleBytes).bytes };
}

function varintBytes(file: Window, at: number, max: number): { bytes: Uint8Array; end: number } {
  let length = 0;
  let end = at;
  for (let shift = 0; ; shift += 7) {
    if (shift > 28) refuse('malformed', 'the build info has a string of impossible length');
    const byte = file.u8(end++);
    length += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  if (length > max) refuse('malformed', `the build info has a string of ${length} bytes`);
  return { bytes: new Uint8Array(file.bytes(end, length)), end: end + length };
}

/** Before Go 1.18. Such a program is refused for its age anyway, but by its version's name when it can be read. */
function pointedStrings(elf: ElfFile, file: Window, header: number, flags: number): RawStrings {
  const none: RawStrings = { version: '', module: new Uint8Array(0) };
  if (file.u8(header + 14) !== 8 || (flags & bigEndianFlag) !== 0) return none;
  const read = (pointerAt: number, max: number): Uint8Array => {
    const stringHeader = fileOffset(elf, file.u64(pointerAt));
    if (stringHeader === undefined) return none.module;
    const length = file.u64(stringHeader + 8);
    const data = fileOffset(elf, file.u64(stringHeader));
    return data === undefined || length > max ? none.module : new Uint8Array(file.upTo(data, length));
  };
  return { version: utf8(read(header + 16, maxVersionBytes)), module: read(header + 24, maxModuleBytes) };
}

function unframe(module: Uint8Array): string {
  const framed = module.length >= 2 * frameBytes + 1 && module[module.length - frameBytes - 1] === 0x0a;
  return framed ? utf8(module.subarray(frameBytes, module.length - frameBytes)) : '';
}

/** Tab-separated lines: `path P`, `mod PATH VERSION SUM`, `build KEY=VALUE`; keys and values may be quoted. */
export function parseModuleText(text: string): Omit<BuildInfo, 'goVersion'> {
  let packagePath: string | undefined;
  let modulePath: string | undefined;
  const settings = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [kind, first] = line.split('\t');
    if (first === undefined) continue;
    if (kind === 'path') packagePath = first;
    if (kind === 'mod') modulePath = first;
    if (kind === 'build') {
      const equals = first.startsWith('"') ? first.indexOf('"=') + 1 : first.indexOf('=');
      if (equals > 0) settings.set(unquote(first.slice(0, equals)), unquote(first.slice(equals + 1)));
    }
  }
  return {
    ...(packagePath === undefined ? {} : { packagePath }),
    ...(modulePath === undefined ? {} : { modulePath }),
    settings,
  };
}

function unquote(text: string): string {
  if (text.startsWith('`') && text.endsWith('`') && text.length > 1) return text.slice(1, -1);
  if (!text.startsWith('"')) return text;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'string' ? value : text;
  } catch {
    return text;
  }
}

const decoder = new TextDecoder();
const utf8 = (bytes: Uint8Array): string => decoder.decode(bytes);
const latin1 = (bytes: Uint8Array): string => String.fromCharCode(...bytes);
