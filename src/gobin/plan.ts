import { type Architecture, architectureOf } from './architecture.ts';
import { countCallSites } from './code/calls.ts';
import { type FunctionBody, type FunctionCode, hex, walkFunction } from './code/function-body.ts';
import { type ElfFile, parseElf } from './elf/elf.ts';
import { readBuildId } from './go/build-id.ts';
import { readBuildInfo } from './go/build-info.ts';
import { findRuntimeFunctions, type RuntimeFunctions, readFunction } from './go/functions.ts';
import { printable, supportedMinor } from './go/version.ts';
import { whyNotGo } from './go-version.ts';
import { goidOffsetFor, layoutFor } from './layout.ts';
import { finishedStoppingSinceMinor, optionalFunctions, optionalPoints } from './optional-points.ts';
import { orRefused, refuse } from './refusal.ts';
import type { AttachPlan, AttachPoint, AttachPointName, ByteReader, Refused } from './types.ts';
import { ReadBudget, Window } from './window.ts';

const readBudgetBytes = 256 * 1024 * 1024;
const checkBytes = 8;

interface Probed {
  readonly symbol: string;
  readonly entry: AttachPointName;
  /** Null: only the entry matters. */
  readonly return: AttachPointName | null;
  /** May stand in the place of `return`, on a jump shortly before the RET. Null: what is read at the RET is only there. */
  readonly exit: AttachPointName | null;
  /** Call sites in the runtime's source, the same from Go 1.22 to 1.26: fewer in a program mean that it was inlined at some. */
  readonly callSites: number;
}

const probed: readonly Probed[] = [
  // gcStart, gcMarkDone, gcMarkTermination, startTheWorld (runtime/mgc.go, proc.go). At the RET, the first result is the end that the runtime counts.
  { symbol: 'runtime.startTheWorldWithSema', entry: 'stwEntry', return: 'stwRet', exit: null, callSites: 4 },
  // deductAssistCredit (runtime/malloc.go).
  {
    symbol: 'runtime.gcAssistAlloc',
    entry: 'assistEntry',
    return: 'assistRet',
    exit: 'assistExit',
    callSites: 1,
  },
  // gcMarkDone (runtime/mgc.go).
  { symbol: 'runtime.(*gcControllerState).endCycle', entry: 'cycleEnd', return: null, exit: null, callSites: 1 },
];

/**
 * What gcAssistAlloc calls to tell the execution tracer that the stall has ended (runtime/traceruntime.go): these may run after its exit
 * was seen. All else that it calls by name is the stall itself.
 */
const tracing = ['runtime.traceAcquireEnabled', 'runtime.traceLocker.GCMarkAssistDone'];

export interface PlanOptions {
  /** As Go names the processor of the machine on which the program runs; without it every one that is known is planned for. */
  readonly machine?: string;
}

/**
 * Where to attach probes in this program, or the reason why nothing may be attached.
 * Throws nothing of its own; errors of the reader (I/O) pass through.
 */
export function planAttach(reader: ByteReader, { machine }: PlanOptions = {}): AttachPlan | Refused {
  return orRefused(() => {
    const file = new Window(reader, new ReadBudget(readBudgetBytes));
    const elf = parseElf(file);
    const info = readBuildInfo(elf, file);
    if (info === undefined) return whyNotGo(elf, file);
    const arch = architectureOf(elf);
    if (arch === undefined)
      refuse('unsupported-arch', 'a Go program for another processor: only amd64 and arm64 code is understood');
    if (machine !== undefined && machine !== arch.name) {
      refuse(
        'unsupported-arch',
        `a program for ${arch.name} on a machine of ${printable(machine)}: it cannot run there but in an emulator, whose code is another`,
      );
    }
    const minor = supportedMinor(info.goVersion, (m) => layoutFor(m) !== undefined);
    const layout = layoutFor(minor);
    if (layout === undefined) refuse('unsupported-go-version', `no layout for ${info.goVersion}`);
    const found = findRuntimeFunctions(
      elf,
      file,
      probed.map((p) => p.symbol),
      [...tracing, ...optionalFunctions],
    );
    const buildId = readBuildId(elf, file);
    return {
      kind: 'ok',
      goVersion: info.goVersion,
      arch: arch.name,
      ...(info.modulePath === undefined ? {} : { modulePath: info.modulePath }),
      ...(buildId === undefined ? {} : { buildId }),
      points: pointsOf(arch, elf, file, found),
      optional: optionalPoints(arch, elf, file, found, minor),
      layout,
      stoppingKnown: minor >= finishedStoppingSinceMinor,
      goidOffset: goidOffsetFor(minor),
      ...(found.gcControllerAddress === undefined ? {} : { gcControllerAddress: found.gcControllerAddress }),
      stripped: found.stripped,
      pie: elf.pie,
    };
  });
}

function pointsOf(arch: Architecture, elf: ElfFile, file: Window, found: RuntimeFunctions): AttachPoint[] {
  const mayCallAtEnd = new Set(tracing.flatMap((name) => found.functions.get(name)?.address ?? []));
  return probed.flatMap(({ symbol, entry, return: returnName, exit: exitName, callSites }) => {
    const fn = readFunction(elf, file, found, symbol);
    const calls = countCallSites(arch.calls, elf, file, fn.address);
    if (calls < callSites) {
      refuse(
        'inlined',
        `${symbol} is called from ${calls} places instead of ${callSites}: the compiler inlined it at others, and what passes there ` +
          'would not be seen; build with -pgo=off',
      );
    }
    const body = walkFunction(arch.instructions, fn);
    const at = (point: AttachPointName, index: number): AttachPoint => ({
      point,
      offset: fn.offset + index,
      bytes: hex(fn.code.subarray(index, index + checkBytes)),
      symbol,
      address: fn.address + index,
    });
    const entryIndex = arch.instructions.entry(fn, body);
    const entryPoint = at(entry, entryIndex);
    if (returnName === null) return [entryPoint];
    const returns = returnsOf(fn, body);
    if (exitName === null) return [entryPoint, ...returns.map((index) => at(returnName, index))];
    const exits = arch.exits(fn, body, { entry: entryIndex, mayCallAtEnd });
    return [entryPoint, ...exits.map((index) => at(returns.includes(index) ? returnName : exitName, index))];
  });
}

/** Every way out must be a RET: a stall that begins and never ends would be counted for ever. */
function returnsOf(fn: FunctionCode, body: FunctionBody): readonly number[] {
  const [leaving] = body.leaving;
  if (leaving !== undefined) {
    refuse(
      'unexpected-code',
      `${fn.symbol} may be left at 0x${(fn.address + leaving).toString(16)}, otherwise than by RET`,
    );
  }
  if (body.returns.length === 0) refuse('unexpected-code', `${fn.symbol} has no RET`);
  return body.returns;
}
