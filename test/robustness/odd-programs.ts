/** Running programs that nobody can watch: the tables of a real one damaged, so that the kernel still runs it. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  openSync,
  readFileSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

export interface Odd {
  readonly name: string;
  /** The reason that is given; several where more than one is right. */
  readonly reasons: readonly string[];
  readonly make: (go: Buffer) => { readonly bytes: Buffer; readonly sizeBytes?: number };
  /** Written where the file is sparse. */
  readonly patches?: (go: Buffer) => readonly { readonly at: number; readonly bytes: Buffer }[];
}

const fileHeader = { sectionTable: 40, sectionCount: 60, namesIndex: 62 };
const sectionField = { type: 4, offset: 24, size: 32, link: 40 };

interface SectionAt {
  readonly name: string;
  readonly header: number;
  readonly offset: number;
  readonly size: number;
}

export function sectionsOf(elf: Buffer): SectionAt[] {
  const table = Number(elf.readBigUInt64LE(fileHeader.sectionTable));
  const header = (index: number): number => table + 64 * index;
  const namesAt = Number(elf.readBigUInt64LE(header(elf.readUInt16LE(fileHeader.namesIndex)) + sectionField.offset));
  return Array.from({ length: elf.readUInt16LE(fileHeader.sectionCount) }, (_, index) => {
    const nameAt = namesAt + elf.readUInt32LE(header(index));
    return {
      name: elf.toString('latin1', nameAt, elf.indexOf(0, nameAt)),
      header: header(index),
      offset: Number(elf.readBigUInt64LE(header(index) + sectionField.offset)),
      size: Number(elf.readBigUInt64LE(header(index) + sectionField.size)),
    };
  });
}

function section(elf: Buffer, name: string): SectionAt {
  const found = sectionsOf(elf).find((each) => each.name === name);
  if (!found) throw new Error(`the program has no ${name}`);
  return found;
}

const gibibyte = 2 ** 30;

function sized(bytes: Buffer, name: string, size: number): Buffer {
  bytes.writeBigUInt64LE(BigInt(size), section(bytes, name).header + sectionField.size);
  return bytes;
}

function placed(bytes: Buffer, name: string, offset: number): Buffer {
  bytes.writeBigUInt64LE(BigInt(offset), section(bytes, name).header + sectionField.offset);
  return bytes;
}

/** The version in the build info, by one as long. */
function versioned(bytes: Buffer, version: string): Buffer {
  const info = section(bytes, '.go.buildinfo');
  const length = bytes[info.offset + 32] ?? 0;
  bytes.write(version.padEnd(length, ' ').slice(0, length), info.offset + 33, 'latin1');
  return bytes;
}

/** The header of the real one, which says that 64 MiB of names and 1,000,000 functions follow. */
function emptyFunctionTable(realAt: number, go: Buffer): Buffer {
  const header = Buffer.from(go.subarray(realAt, realAt + 72));
  const mebibyte = 2 ** 20;
  for (const [index, word] of [
    [0, 1_000_000],
    [3, 72],
    [4, 64 * mebibyte],
    [5, 64 * mebibyte],
    [6, 64 * mebibyte],
    [7, 64 * mebibyte],
  ] as const) {
    header.writeBigUInt64LE(BigInt(word), 8 + 8 * index);
  }
  return header;
}

const withoutSymbols = (bytes: Buffer): Buffer => {
  bytes.writeUInt32LE(1, section(bytes, '.symtab').header + sectionField.type);
  return bytes;
};

export const oddPrograms: readonly Odd[] = [
  {
    name: 'of an unknown future Go',
    reasons: ['unsupported-go-version'],
    make: (go) => ({ bytes: versioned(go, 'go1.99.1') }),
  },
  { name: 'of an older Go', reasons: ['unsupported-go-version'], make: (go) => ({ bytes: versioned(go, 'go1.19.8') }) },
  {
    name: 'of an unreleased Go',
    reasons: ['unsupported-go-version'],
    make: (go) => ({ bytes: versioned(go, 'devel-x1') }),
  },
  {
    name: 'without build info',
    reasons: ['unsupported-go-version'],
    make: (go) => ({
      bytes: go.fill(0, section(go, '.go.buildinfo').offset, section(go, '.go.buildinfo').offset + 16),
    }),
  },
  {
    name: 'without section headers',
    reasons: ['no-sections'],
    make: (go) => {
      go.fill(0, fileHeader.sectionTable, fileHeader.sectionTable + 8);
      go.writeUInt16LE(0, fileHeader.sectionCount);
      return { bytes: go };
    },
  },
  {
    name: 'with 65,535 sections',
    reasons: ['malformed'],
    make: (go) => {
      go.writeUInt16LE(0xffff, fileHeader.sectionCount);
      return { bytes: go };
    },
  },
  {
    name: 'whose section headers lie beyond the file',
    reasons: ['truncated'],
    make: (go) => {
      go.writeBigUInt64LE(2n ** 40n, fileHeader.sectionTable);
      return { bytes: go };
    },
  },
  {
    name: 'cut off behind what is loaded',
    reasons: ['truncated'],
    make: (go) => ({ bytes: go, sizeBytes: section(go, '.symtab').offset }),
  },
  {
    name: 'whose sections lie one upon the other',
    reasons: ['malformed', 'unsupported-pclntab', 'function-not-found', 'text-start-unknown'],
    make: (go) => {
      for (const { name, size } of sectionsOf(go)) {
        if (name !== '' && name !== '.go.buildinfo' && name !== '.shstrtab' && size > 0) placed(go, name, 64);
      }
      return { bytes: withoutSymbols(go) };
    },
  },
  {
    name: 'with a symbol table of 9 GiB in a sparse file of 10 GiB',
    reasons: ['too-large'],
    make: (go) => ({ bytes: sized(go, '.symtab', 9 * gibibyte), sizeBytes: 10 * gibibyte }),
  },
  {
    name: 'with as many symbols as are read, and 9 GiB of their names in a sparse file of 10 GiB',
    reasons: ['too-large'],
    make: (go) => ({
      bytes: sized(sized(go, '.symtab', 24 * 1_000_000), '.strtab', 9 * gibibyte),
      sizeBytes: 10 * gibibyte,
    }),
  },
  {
    name: 'with as many symbols and names as are read, all of them empty',
    reasons: ['too-large', 'malformed', 'function-not-found'],
    make: (go) => {
      const bytes = sized(placed(go, '.symtab', 5 * gibibyte), '.symtab', 24 * 1_000_000);
      return {
        bytes: sized(placed(bytes, '.strtab', 6 * gibibyte), '.strtab', 64 * 2 ** 20),
        sizeBytes: 10 * gibibyte,
      };
    },
  },
  {
    name: 'with a function table whose names fill a sparse file of 10 GiB',
    reasons: ['too-large', 'malformed'],
    make: (go) => {
      const table = section(go, '.gopclntab');
      const word = (index: number, value: number): number =>
        go.writeBigUInt64LE(BigInt(value), table.offset + 8 + 8 * index);
      for (const index of [4, 5, 6, 7]) word(index, 9 * gibibyte - 64);
      word(0, 4);
      return { bytes: withoutSymbols(sized(go, '.gopclntab', 9 * gibibyte)), sizeBytes: 10 * gibibyte };
    },
  },
  {
    name: 'with a function table as large as is read, all of it empty',
    reasons: ['too-large', 'malformed'],
    make: (go) => {
      const bytes = placed(go, '.gopclntab', gibibyte);
      return { bytes: withoutSymbols(sized(bytes, '.gopclntab', 200 * 2 ** 20)), sizeBytes: 2 * gibibyte };
    },
    patches: (go) => [{ at: gibibyte, bytes: emptyFunctionTable(section(go, '.gopclntab').offset, go) }],
  },
  {
    name: 'with build info of 9 GiB in a sparse file of 10 GiB',
    reasons: ['unsupported-go-version'],
    make: (go) => {
      const { offset } = section(go, '.go.buildinfo');
      go.fill(0, offset, offset + 16);
      return { bytes: sized(go, '.go.buildinfo', 9 * gibibyte), sizeBytes: 10 * gibibyte };
    },
  },
];

/** Writes it beside others in `folder`. @returns its path */
export function writeOdd(odd: Odd, original: string, folder: string, index: number): string {
  const file = join(folder, `odd${index}`);
  const { bytes, sizeBytes } = odd.make(readFileSync(original));
  writeFileSync(file, bytes);
  if (sizeBytes !== undefined) truncateSync(file, sizeBytes);
  const patched = openSync(file, 'r+');
  for (const { at, bytes: patch } of odd.patches?.(readFileSync(original)) ?? [])
    writeSync(patched, patch, 0, patch.length, at);
  closeSync(patched);
  chmodSync(file, 0o755);
  return file;
}

/** A C program with a function that only TinyGo's runtime has. */
export function buildTinyGoLike(folder: string): string {
  const source = join(folder, 'tiny.c');
  writeFileSync(source, '#include <unistd.h>\nvoid tinygo_startTask(void) {}\nint main(void) { pause(); return 0; }\n');
  const file = join(folder, 'tiny');
  execFileSync('gcc', ['-o', file, source]);
  return file;
}

/** A program of a real older toolchain that waits for its input: `gofmt`. */
export function gofmtOf(version: string, folder: string): string {
  const root = execFileSync('go', ['env', 'GOROOT'], {
    encoding: 'utf8',
    cwd: folder,
    env: { ...process.env, GOTOOLCHAIN: `go${version}` },
  }).trim();
  const file = join(folder, `gofmt-${version}`);
  copyFileSync(join(root, 'bin', 'gofmt'), file);
  return file;
}
