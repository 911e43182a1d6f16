import type { FunctionCode } from '../code/function-body.ts';
import { type ElfFile, fileOffset } from '../elf/elf.ts';
import { findSymbols, type Symbol64 } from '../elf/symbols.ts';
import { refuse } from '../refusal.ts';
import type { Window } from '../window.ts';
import { type FunctionRange, findFunctions, readPcLineTable } from './pclntab.ts';
import { findTextStart } from './text-start.ts';

export interface RuntimeFunctions {
  readonly functions: ReadonlyMap<string, FunctionRange>;
  readonly gcControllerAddress?: number;
  readonly stripped: boolean;
}

const textSymbol = 'runtime.text';
const controllerSymbol = 'runtime.gcController';

/**
 * Finds functions by name: in the symbol table when there is one, else in .gopclntab, which the runtime itself needs and -s keeps.
 * The `optional` ones are found on the way, where `names` are; without them nothing further is read.
 */
export function findRuntimeFunctions(
  elf: ElfFile,
  file: Window,
  names: readonly string[],
  optional: readonly string[] = [],
): RuntimeFunctions {
  const all = [...names, ...optional];
  const symbols = findSymbols(elf, file, [...all, textSymbol, controllerSymbol]);
  const controller = symbols?.get(controllerSymbol);
  const common = {
    stripped: symbols === undefined,
    ...(controller === undefined ? {} : { gcControllerAddress: controller.address }),
  };
  const fromSymbols = new Map<string, FunctionRange>();
  for (const name of all) {
    const symbol = symbols?.get(name);
    if (symbol !== undefined && symbol.size > 0) fromSymbols.set(name, rangeOf(symbol));
  }
  if (names.every((name) => fromSymbols.has(name))) return { ...common, functions: fromSymbols };

  const table = readPcLineTable(elf, file);
  if (table === undefined)
    refuse('unsupported-pclntab', 'a Go program without the .gopclntab section: its functions cannot be found');
  const textStart = findTextStart(elf, file, table, symbols?.get(textSymbol)?.address);
  return { ...common, functions: findFunctions(file, table, textStart, all) };
}

function rangeOf(symbol: Symbol64): FunctionRange {
  return { address: symbol.address, end: symbol.address + symbol.size };
}

/** The runtime's functions concerned have 0.5 to 2 KB of code. */
const maxCodeBytes = 64 * 1024;

/** A function's bytes, and the offset in the file where they stand. */
export function readFunction(
  elf: ElfFile,
  file: Window,
  found: RuntimeFunctions,
  symbol: string,
): FunctionCode & { readonly offset: number } {
  const range = found.functions.get(symbol);
  if (range === undefined) {
    refuse(
      'function-not-found',
      `no function ${symbol} in this program (runtime linked as a shared library, or changed)`,
    );
  }
  const length = range.end - range.address;
  const offset = fileOffset(elf, range.address, { executable: true });
  if (offset === undefined || fileOffset(elf, range.end - 1, { executable: true }) !== offset + length - 1) {
    refuse('malformed', `${symbol} at 0x${range.address.toString(16)} is not in the executable part of the file`);
  }
  if (length <= 0 || length > maxCodeBytes) refuse('malformed', `${symbol} is said to be ${length} bytes long`);
  return { symbol, address: range.address, offset, code: new Uint8Array(file.bytes(offset, length)) };
}
