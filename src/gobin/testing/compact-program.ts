/**
 * A real program with only what the readers look at: the code of its runtime functions at their addresses, a function table of them alone,
 * its build info. A hundredth of the size, so that a million changed ones can be read.
 */
import { parseElf } from '../elf/elf.ts';
import { findRuntimeFunctions, readFunction } from '../go/functions.ts';
import { optionalFunctions } from '../optional-points.ts';
import { bytesReader } from '../reader.ts';
import { ReadBudget, Window } from '../window.ts';
import { buildInfoSection } from './build-elf.ts';

const probed = ['runtime.startTheWorldWithSema', 'runtime.gcAssistAlloc', 'runtime.(*gcControllerState).endCycle'];
const tracing = ['runtime.traceAcquireEnabled', 'runtime.traceLocker.GCMarkAssistDone'];
/** As many calls of each as any needs. */
const callsEach = 4;
const tableAddress = 0x10_0000;

interface Piece {
  readonly address: number;
  readonly data: Uint8Array;
  readonly name?: string;
}

export function compactProgram(bytes: Uint8Array, goVersion: string): Uint8Array {
  const file = new Window(bytesReader(bytes), new ReadBudget(2 ** 28));
  const elf = parseElf(file);
  const found = findRuntimeFunctions(elf, file, probed, [...tracing, ...optionalFunctions]);
  const functions = [...found.functions]
    .map(([name, { address, end }]) => ({ name, address, end, code: readFunction(elf, file, found, name).code }))
    .sort((a, b) => a.address - b.address);
  const textStart = functions[0]?.address ?? 0;
  const table = { name: '.gopclntab', address: tableAddress, data: functionTable(functions, textStart) };
  const info = { name: '.go.buildinfo', address: tableAddress / 2, data: buildInfoSection(goVersion, 'path\tcompact') };
  const machine = elf.arch === 'arm64' ? 183 : 62;
  const clusters = clustersOf(functions).map((each) => withCalls(each, elf.arch === 'arm64' ? arm64Call : x86Call));
  return elfOf(machine, [...clusters, info, table]);
}

interface Code {
  readonly address: number;
  readonly end: number;
  readonly code: Uint8Array;
}

/** Neighbours whose calls would not fit between them. */
function clustersOf(functions: readonly Code[]): Code[][] {
  const clusters: Code[][] = [];
  for (const each of functions) {
    const last = clusters.at(-1);
    const room = each.address - (last?.at(-1)?.end ?? Number.NEGATIVE_INFINITY);
    if (last && room < callBytes * callsEach * (last.length + 1)) last.push(each);
    else clusters.push([each]);
  }
  return clusters;
}

/** Writes a call at an index that goes so many bytes on from there. */
type WriteCall = (view: DataView, at: number, distance: number) => void;

const x86Call: WriteCall = (view, at, distance) => {
  view.setUint8(at, 0xe8);
  view.setInt32(at + 1, distance - 5, true);
};

const arm64Call: WriteCall = (view, at, distance) =>
  view.setUint32(at, (0x9400_0000 | ((distance / 4) & 0x3ff_ffff)) >>> 0, true);

/** As long as a call of any processor, and whole instructions of each. */
const callBytes = 8;

/** Functions at their addresses, and calls of each behind the last: calls are counted in a function's own segment. */
function withCalls(functions: readonly Code[], write: WriteCall): Piece {
  const address = Math.min(...functions.map((each) => each.address));
  const end = Math.max(...functions.map((each) => each.address + each.code.length)) - address;
  const callees = functions.flatMap((callee) => Array.from({ length: callsEach }, () => callee.address));
  const data = new Uint8Array(end + callBytes * callees.length);
  const view = new DataView(data.buffer);
  for (const each of functions) data.set(each.code, each.address - address);
  for (const [i, callee] of callees.entries()) {
    const at = end + callBytes * i;
    write(view, at, callee - (address + at));
  }
  return { address, data };
}

/** As cmd/link writes it: header, names, entries, records (runtime/symtab.go, pcHeader). */
function functionTable(
  functions: readonly { readonly name: string; readonly address: number; readonly end: number }[],
  textStart: number,
): Uint8Array {
  const names = new TextEncoder().encode(functions.map(({ name }) => `${name}\0`).join(''));
  // Each function and the gap behind it.
  const entries = functions.flatMap(({ address, end }, i) => [
    { at: address, name: i },
    { at: end, name: -1 },
  ]);
  const namesAt = 72;
  const entriesAt = Math.ceil((namesAt + names.length) / 8) * 8;
  const recordsAt = entriesAt + 8 * entries.length + 8;
  const table = new Uint8Array(recordsAt + 8 * entries.length);
  const view = new DataView(table.buffer);
  table.set([0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8]);
  const words = [entries.length, 0, textStart, namesAt, entriesAt, entriesAt, entriesAt, entriesAt];
  for (const [i, word] of words.entries()) view.setBigUint64(8 + 8 * i, BigInt(word), true);
  table.set(names, namesAt);
  const nameOffsets = functions.map((_, i) =>
    functions.slice(0, i).reduce((sum, { name }) => sum + name.length + 1, 0),
  );
  for (const [i, { at, name }] of entries.entries()) {
    const record = recordsAt + 8 * i;
    view.setUint32(entriesAt + 8 * i, at - textStart, true);
    view.setUint32(entriesAt + 8 * i + 4, record - entriesAt, true);
    view.setUint32(record, at - textStart, true);
    view.setUint32(record + 4, nameOffsets[name] ?? names.length, true);
  }
  return table;
}

/** One loaded, executable segment for each piece; sections for those with a name. */
function elfOf(machine: number, pieces: readonly Piece[]): Uint8Array {
  const named = pieces.filter(({ name }) => name !== undefined);
  const names = new TextEncoder().encode(`\0${named.map(({ name }) => `${name}\0`).join('')}.shstrtab\0`);
  let end = 64 + 56 * pieces.length;
  const place = (data: Uint8Array): number => {
    const at = Math.ceil(end / 16) * 16;
    end = at + data.length;
    return at;
  };
  const placed = pieces.map((piece) => ({ ...piece, at: place(piece.data) }));
  const namesAt = place(names);
  const sectionCount = named.length + 2;
  const table = place(new Uint8Array(64 * sectionCount));
  const bytes = new Uint8Array(end);
  const view = new DataView(bytes.buffer);
  const u64 = (at: number, value: number): void => view.setBigUint64(at, BigInt(value), true);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  for (const [at, value] of [
    [16, 2],
    [18, machine],
    [54, 56],
    [56, pieces.length],
    [58, 64],
    [60, sectionCount],
    [62, sectionCount - 1],
  ] as const) {
    view.setUint16(at, value, true);
  }
  u64(32, 64);
  u64(40, table);
  for (const [i, { at, address, data }] of placed.entries()) {
    const header = 64 + 56 * i;
    bytes.set(data, at);
    view.setUint32(header, 1, true);
    view.setUint32(header + 4, 5, true);
    for (const [field, value] of [
      [8, at],
      [16, address],
      [32, data.length],
      [40, data.length],
    ] as const)
      u64(header + field, value);
  }
  bytes.set(names, namesAt);
  const sections = [
    ...placed.filter(({ name }) => name !== undefined),
    { name: '.shstrtab', address: 0, data: names, at: namesAt },
  ];
  let nameAt = 1;
  for (const [i, { name = '', at, address, data }] of sections.entries()) {
    const header = table + 64 * (i + 1);
    view.setUint32(header, nameAt, true);
    view.setUint32(header + 4, 1, true);
    for (const [field, value] of [
      [16, address],
      [24, at],
      [32, data.length],
    ] as const)
      u64(header + field, value);
    nameAt += name.length + 1;
  }
  return bytes;
}
