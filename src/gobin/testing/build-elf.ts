/** A small writer of ELF-64 files with just what this room reads, for tests of cases that no toolchain makes. */
export interface ElfParts {
  readonly machine?: number;
  readonly type?: number;
  readonly sections?: readonly {
    readonly name: string;
    readonly type?: number;
    readonly link?: number;
    readonly data: Uint8Array;
  }[];
}

/** Each section at a 16-aligned file offset; its address is the offset plus this. */
export const loadAddress = 0x40_0000;

const headerBytes = 64;
const segmentBytes = 56;
const sectionBytes = 64;

export function buildElf(parts: ElfParts): Uint8Array {
  const named = [{ name: '' }, ...(parts.sections ?? []), { name: '.shstrtab' }];
  const names = new TextEncoder().encode(named.map((s) => `${s.name}\0`).join(''));
  const sections = [...(parts.sections ?? []), { name: '.shstrtab', type: 3, data: names }];
  let end = headerBytes + segmentBytes;
  const placed = sections.map((section) => {
    const offset = align(end);
    end = offset + section.data.length;
    return { ...section, offset };
  });
  const table = align(end);
  const bytes = new Uint8Array(table + sectionBytes * (placed.length + 1));
  const view = new DataView(bytes.buffer);
  const u64 = (at: number, value: number): void => view.setBigUint64(at, BigInt(value), true);

  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, parts.type ?? 2, true);
  view.setUint16(18, parts.machine ?? 62, true);
  u64(32, headerBytes);
  u64(40, table);
  view.setUint16(54, segmentBytes, true);
  view.setUint16(56, 1, true);
  view.setUint16(58, sectionBytes, true);
  view.setUint16(60, placed.length + 1, true);
  view.setUint16(62, placed.length, true);
  view.setUint32(headerBytes, 1, true);
  view.setUint32(headerBytes + 4, 5, true);
  u64(headerBytes + 16, loadAddress);
  u64(headerBytes + 32, end);

  let nameAt = 1;
  for (const [i, section] of placed.entries()) {
    const at = table + sectionBytes * (i + 1);
    bytes.set(section.data, section.offset);
    view.setUint32(at, nameAt, true);
    nameAt += section.name.length + 1;
    view.setUint32(at + 4, section.type ?? 1, true);
    u64(at + 16, loadAddress + section.offset);
    u64(at + 24, section.offset);
    u64(at + 32, section.data.length);
    view.setUint32(at + 40, section.link ?? 0, true);
  }
  return bytes;
}

const align = (offset: number): number => Math.ceil(offset / 16) * 16;

/** A `.go.buildinfo` section in the inline form, as `go build` of 1.18 and later writes it. */
export function buildInfoSection(goVersion: string, moduleText = ''): Uint8Array {
  const framed = moduleText === '' ? '' : `${'0'.repeat(16)}${moduleText}\n${'1'.repeat(16)}`;
  const header = new Uint8Array(32);
  header.set([0xff, ...new TextEncoder().encode(' Go buildinf:'), 8, 2]);
  return Uint8Array.from([...header, ...varintString(goVersion), ...varintString(framed)]);
}

function varintString(text: string): number[] {
  const bytes = new TextEncoder().encode(text);
  const length: number[] = [];
  let left = bytes.length;
  while (left >= 0x80) {
    length.push((left & 0x7f) | 0x80);
    left >>>= 7;
  }
  return [...length, left, ...bytes];
}

/** Code for a function symbol of a synthetic program: bytes, then a `CALL rel32` to each function named. */
export interface FakeFunction {
  readonly name: string;
  readonly code: readonly number[];
  readonly calls?: readonly string[];
}

/** Lays functions one after another and fills in their calls. */
function link(functions: readonly FakeFunction[]): { readonly name: string; readonly code: readonly number[] }[] {
  const starts = new Map<string, number>();
  let end = 0;
  for (const fn of functions) {
    starts.set(fn.name, end);
    end += fn.code.length + 5 * (fn.calls?.length ?? 0);
  }
  return functions.map((fn) => {
    const calls = (fn.calls ?? []).flatMap((callee, i) => {
      const after = (starts.get(fn.name) ?? 0) + fn.code.length + 5 * (i + 1);
      const relative = new Uint8Array(new Int32Array([(starts.get(callee) ?? 0) - after]).buffer);
      return [0xe8, ...relative];
    });
    return { name: fn.name, code: [...fn.code, ...calls] };
  });
}

/** A program with a symbol table whose `.text` holds these functions one after another, as Go lays them out. */
export function buildProgram(sources: readonly FakeFunction[], goVersion = 'go1.26.8'): Uint8Array {
  const functions = link(sources);
  const text = Uint8Array.from(functions.flatMap((fn) => fn.code));
  const names = new TextEncoder().encode(`\0${functions.map((fn) => `${fn.name}\0`).join('')}`);
  const symbols = new Uint8Array(24 * (functions.length + 1));
  const view = new DataView(symbols.buffer);
  let nameAt = 1;
  // .text is the first section: right behind the headers.
  let address = loadAddress + align(headerBytes + segmentBytes);
  for (const [i, fn] of functions.entries()) {
    const at = 24 * (i + 1);
    view.setUint32(at, nameAt, true);
    view.setBigUint64(at + 8, BigInt(address), true);
    view.setBigUint64(at + 16, BigInt(fn.code.length), true);
    nameAt += fn.name.length + 1;
    address += fn.code.length;
  }
  return buildElf({
    sections: [
      { name: '.text', data: text },
      { name: '.go.buildinfo', data: buildInfoSection(goVersion) },
      { name: '.strtab', type: 3, data: names },
      { name: '.symtab', type: 2, link: 3, data: symbols },
    ],
  });
}
