import { arm64Calls } from './arm64/calls.ts';
import { a64 } from './arm64/instruction-set.ts';
import type { CallReader } from './code/calls.ts';
import type { FunctionBody, FunctionCode } from './code/function-body.ts';
import type { InstructionSet } from './code/instruction.ts';
import type { ElfFile } from './elf/elf.ts';
import type { Processor } from './types.ts';
import { x86Calls } from './x86/calls.ts';
import { cheapExits, type EndOfFunction } from './x86/cheap-exits.ts';
import { x86 } from './x86/instruction-set.ts';

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
 * All that depends on the processor, in one place: how its code is read, where a probe may stand, which registers Go's ABI uses, and how
 * the linker writes for it. Indices are into the function's code.
 */
export interface Architecture {
  readonly name: Processor;
  readonly registers: GoRegisters;
  readonly instructions: InstructionSet;
  readonly calls: CallReader;
  /** One instruction for each return, as cheap to probe as can be. */
  readonly exits: (fn: FunctionCode, body: FunctionBody, end: EndOfFunction) => readonly number[];
}

const architectures: Readonly<Record<Processor, Architecture>> = {
  amd64: { name: 'amd64', registers: goRegisters.amd64, instructions: x86, calls: x86Calls, exits: cheapExits },
  // The kernel simulates a RET there (arch/arm64/kernel/probes/decode-insn.c): nothing is cheaper.
  arm64: {
    name: 'arm64',
    registers: goRegisters.arm64,
    instructions: a64,
    calls: arm64Calls,
    exits: (_fn, body) => body.returns,
  },
};

/** Undefined: Go programs of this kind are refused. */
export function architectureOf(elf: ElfFile): Architecture | undefined {
  return elf.arch === 'other' ? undefined : architectures[elf.arch];
}
