import { type Architecture, architectureOf } from './architecture.ts';
import type { GlobalLoad } from './code/calls.ts';
import { type ElfFile, parseElf } from './elf/elf.ts';
import { findSymbols } from './elf/symbols.ts';
import { readBuildInfo } from './go/build-info.ts';
import { findFunctions, readPcLineTable } from './go/pclntab.ts';
import { globalPassedTo } from './go/receivers.ts';
import { findTextStart } from './go/text-start.ts';
import { supportedMinor } from './go/version.ts';
import { whyNotGo } from './go-version.ts';
import { type HeapStatsLayout, heapStatsLayoutFor } from './heap-stats-layout.ts';
import { layoutFor } from './layout.ts';
import { orRefused, refuse } from './refusal.ts';
import type { ByteReader, GcControllerLayout, Refused } from './types.ts';
import { ReadBudget, Window } from './window.ts';
import {
  type GcLimiterLayout,
  type GcWorkOffsets,
  gcLimiterLayoutFor,
  gcWorkBytes,
  gcWorkOffsetsFor,
} from './work-layout.ts';

/** Where the runtime keeps its books of the heap, and how to read them in a running program. */
export interface GcGlobals {
  readonly kind: 'ok';
  readonly goVersion: string;
  /** Link-time address of the program's entry: less the running program's `AT_ENTRY` it tells how far ASLR has moved the program. */
  readonly entryAddress: number;
  /** Link-time address of `runtime.gcController`. */
  readonly gcControllerAddress: number;
  /** A symbol told it, or the code that calls its methods. */
  readonly gcControllerFrom: 'symbol' | 'code';
  readonly layout: GcControllerLayout;
  /** Link-time address of `runtime.memstats.heapStats`; null where neither a symbol nor the code tells it. */
  readonly heapStats: { readonly address: number; readonly layout: HeapStatsLayout } | null;
  /** Link-time address of `runtime.work.cycles`, after which the CPU time of all cycles lies (`gcWorkFields`); null as before. */
  readonly workAddress: number | null;
  /** Link-time address of `runtime.gcCPULimiter`; null as before. */
  readonly limiter: { readonly address: number; readonly layout: GcLimiterLayout } | null;
}

const readBudgetBytes = 256 * 1024 * 1024;
const entryField = 24;

/** The books have 12 to 24 sites in every program, the limiter 7; fewer than this would be chance. */
const leastSites = 4;

/** `heapStats` is the first field of `runtime.memstats`. */
const symbolOf = {
  controller: 'runtime.gcController',
  heapStats: 'runtime.memstats',
  work: 'runtime.work',
  limiter: 'runtime.gcCPULimiter',
} as const;

/** Methods that are called on the global itself. Not `revise`: before its call the address of a field is loaded. */
export const controllerMethods = [
  'heapGoalInternal',
  'trigger',
  'startCycle',
  'endCycle',
  'update',
  'resetLive',
  'init',
  'addIdleMarkWorker',
  'removeIdleMarkWorker',
  'findRunnableGCWorker',
  'enlistWorker',
  'markWorkerStop',
].map((method) => `runtime.(*gcControllerState).${method}`);

export const heapStatsMethods = ['acquire', 'release'].map((method) => `runtime.(*consistentHeapStats).${method}`);

/** Not `updateLocked` and others that the limiter calls on itself. */
export const limiterMethods = ['startGCTransition', 'finishGCTransition', 'update', 'resetCapacity'].map(
  (method) => `runtime.(*gcCPULimiterState).${method}`,
);

/** `endCycle(now, procs, userForced)` is called once, with `work.userForced`. */
const endCycle = 'runtime.(*gcControllerState).endCycle';

/** Data that a program writes to; the last two have no bytes in the file. */
const writableSections: ReadonlySet<string> = new Set(['.data', '.noptrdata', '.bss', '.noptrbss']);

export interface FindGlobalsOptions {
  /** Leaves symbols aside, as in a stripped program. For proofs. */
  readonly ignoreSymbols?: boolean;
}

/**
 * Where `runtime.gcController` and the allocator's counts lie in this program, symbol table or not; or why that is not known.
 * Throws nothing of its own; errors of the reader (I/O) pass through. Go 1.22 to 1.26.
 */
export function findGcGlobals(reader: ByteReader, options: FindGlobalsOptions = {}): GcGlobals | Refused {
  return orRefused(() => {
    const file = new Window(reader, new ReadBudget(readBudgetBytes));
    const elf = parseElf(file);
    const info = readBuildInfo(elf, file);
    if (info === undefined) return whyNotGo(elf, file);
    const arch = architectureOf(elf);
    if (arch === undefined)
      refuse('unsupported-arch', 'a Go program for another processor: only amd64 and arm64 code is understood');
    const minor = supportedMinor(info.goVersion, (m) => layoutFor(m) !== undefined);
    const layout = layoutFor(minor);
    const heapStatsLayout = heapStatsLayoutFor(minor);
    if (layout === undefined || heapStatsLayout === undefined)
      refuse('unsupported-go-version', `no layout for ${info.goVersion}`);

    const symbols =
      options.ignoreSymbols === true ? undefined : findSymbols(elf, file, [...Object.values(symbolOf), 'runtime.text']);
    const hasAll = symbols !== undefined && Object.values(symbolOf).every((name) => symbols.has(name));
    const fromCode = hasAll ? undefined : codeOf(arch, elf, file);
    const controllerSymbol = symbols?.get(symbolOf.controller)?.address;
    const controller = controllerSymbol ?? fromCode?.(controllerMethods, 'receiver', leastSites);
    if (controller === undefined || !isWritable(elf, controller, layout.sizeBytes)) {
      refuse('unexpected-code', `neither a symbol nor the code that uses it tells where ${symbolOf.controller} lies`);
    }
    const heapStats = symbols?.get(symbolOf.heapStats)?.address ?? fromCode?.(heapStatsMethods, 'receiver', leastSites);
    const known = heapStats !== undefined && isWritable(elf, heapStats, heapStatsLayout.sizeBytes);
    return {
      kind: 'ok',
      goVersion: info.goVersion,
      entryAddress: file.u64(entryField),
      gcControllerAddress: controller,
      gcControllerFrom: controllerSymbol === undefined ? 'code' : 'symbol',
      layout,
      heapStats: known ? { address: heapStats, layout: heapStatsLayout } : null,
      workAddress: workOf(elf, gcWorkOffsetsFor(arch.name, minor), symbols?.get(symbolOf.work)?.address, fromCode),
      limiter: limiterOf(elf, minor, symbols?.get(symbolOf.limiter)?.address, fromCode),
    };
  });
}

function workOf(
  elf: ElfFile,
  offsets: GcWorkOffsets | undefined,
  symbol: number | undefined,
  code: CodeVote | undefined,
): number | null {
  if (offsets === undefined) return null;
  const userForced = symbol === undefined ? code?.([endCycle], 'fourthByte', 1) : symbol + offsets.userForced;
  if (userForced === undefined) return null;
  const address = userForced - offsets.userForced + offsets.cycles;
  return isWritable(elf, address, gcWorkBytes) ? address : null;
}

function limiterOf(
  elf: ElfFile,
  minor: number,
  symbol: number | undefined,
  code: CodeVote | undefined,
): GcGlobals['limiter'] {
  const layout = gcLimiterLayoutFor(minor);
  const address = symbol ?? code?.(limiterMethods, 'receiver', leastSites);
  if (layout === undefined || address === undefined) return null;
  return isWritable(elf, address, layout.lastEnabledCycle + 4) ? { address, layout } : null;
}

type CodeVote = (functions: readonly string[], load: GlobalLoad, leastSites: number) => number | undefined;

/** Finds the global that functions are called with by their names in .gopclntab. All call sites must agree. */
function codeOf(arch: Architecture, elf: ElfFile, file: Window): CodeVote {
  const table = readPcLineTable(elf, file);
  if (table === undefined) refuse('unsupported-pclntab', 'a Go program without the .gopclntab section');
  const functions = findFunctions(file, table, findTextStart(elf, file, table, undefined), [
    ...controllerMethods,
    ...heapStatsMethods,
    ...limiterMethods,
  ]);
  return (names, load, leastSites) => {
    const called = names.flatMap((name) => functions.get(name) ?? []);
    const vote = globalPassedTo(arch.calls, elf, file, called, load);
    return vote !== undefined && vote.sites >= leastSites && vote.otherSites === 0 ? vote.address : undefined;
  };
}

/** Whole in one section of variables, aligned as its words need. */
function isWritable(elf: ElfFile, address: number, sizeBytes: number): boolean {
  const inside = elf.sections.some(
    (s) => writableSections.has(s.name) && address >= s.address && address + sizeBytes <= s.address + s.size,
  );
  return inside && address % 8 === 0;
}
