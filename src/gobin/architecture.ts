import type { ElfFile } from './elf/elf.ts';
import type { Processor } from './types.ts';
import type { Window } from './window.ts';
import { countCallSites } from './x86/call-sites.ts';
import { cheapExits, type EndOfFunction } from './x86/cheap-exits.ts';
import { entryProbe } from './x86/entry.ts';
import { type FunctionBody, type FunctionCode, walkFunction } from './x86/function-body.ts';
import { type AssistTracing, callSpan, oneOfCalls, parkSpan, type SpanPlaces, slowAssistSpan } from './x86/spans.ts';

export interface GoRegisters {
  /** Integer arguments and results, in their order. */
  readonly arguments: readonly string[];
  /** The current goroutine. */
  readonly g: string;
}

/** cmd/compile/abi-internal.md; the probe has the same table in bpf/src/machine.h. */
export const goRegisters: Readonly<Record<Processor, GoRegisters>> = {
  amd64: { arguments: ['ax', 'bx', 'cx', 'di', 'si', 'r8', 'r9', 'r10', 'r11'], g: 'r14' },
  arm64: { arguments: Array.from({ length: 16 }, (_, i) => `r${i}`), g: 'r28' },
};

/**
 * All that depends on the processor, in one place: how its code is read, where a probe may stand, and which registers Go's ABI uses.
 * Indices are into the function's code.
 */
export interface Architecture {
  readonly name: Processor;
  readonly registers: GoRegisters;
  /** Decodes a whole function, or refuses. */
  readonly walk: (fn: FunctionCode) => FunctionBody;
  /** The instruction after the stack check where the arguments are still in their registers, passed once per call. */
  readonly entry: (fn: FunctionCode, body: FunctionBody) => number;
  /** One instruction for each return, as cheap to probe as can be. */
  readonly exits: (fn: FunctionCode, body: FunctionBody, end: EndOfFunction) => readonly number[];
  readonly countCallSites: (elf: ElfFile, file: Window, address: number) => number;
  readonly callSpan: (fn: FunctionCode, body: FunctionBody) => SpanPlaces;
  readonly parkSpan: (fn: FunctionCode, body: FunctionBody, gopark: number | undefined) => SpanPlaces;
  readonly oneOfCalls: (fn: FunctionCode, body: FunctionBody, callee: number | undefined) => readonly number[];
  readonly slowAssistSpan: (fn: FunctionCode, body: FunctionBody, tracing: AssistTracing) => SpanPlaces;
}

const amd64: Architecture = {
  name: 'amd64',
  registers: goRegisters.amd64,
  walk: walkFunction,
  entry: entryProbe,
  exits: cheapExits,
  countCallSites,
  callSpan,
  parkSpan,
  oneOfCalls,
  slowAssistSpan,
};

/** arm64 lacks what reads its instructions, so no place to probe can be vouched for. */
const architectures: Readonly<Partial<Record<ElfFile['arch'], Architecture>>> = { amd64 };

/** Undefined: Go programs of this kind are refused. */
export function architectureOf(elf: ElfFile): Architecture | undefined {
  return architectures[elf.arch];
}
