import { refuse } from '../refusal.ts';
import type { Instruction, InstructionSet } from './instruction.ts';

/** One function's code and where it is: `code[0]` stands at `address`. */
export interface FunctionCode {
  readonly symbol: string;
  readonly address: number;
  readonly code: Uint8Array;
}

export interface FunctionBody {
  /** How its code is read. */
  readonly set: InstructionSet;
  /** What begins at each index where an instruction begins, in the order of addresses. */
  readonly instructions: ReadonlyMap<number, Instruction>;
  /** Indices of RET instructions. */
  readonly returns: readonly number[];
  /** Indices that jumps inside the function go to. */
  readonly targets: ReadonlySet<number>;
  /** Indices of jumps that may leave it other than by RET. */
  readonly leaving: readonly number[];
}

/**
 * Walks a function instruction by instruction. What looks like a RET inside another instruction is none, and a probe there would crash the target:
 * so the walk refuses at the first instruction it does not know, when it does not end exactly at the function's end,
 * and when a jump goes into the middle of what it took for one instruction.
 */
export function walkFunction(set: InstructionSet, fn: FunctionCode): FunctionBody {
  const instructions = new Map<number, Instruction>();
  const returns: number[] = [];
  const targets = new Set<number>();
  const leaving: number[] = [];
  let at = 0;
  while (at < fn.code.length) {
    const instruction = set.decode(fn.code, at);
    if (instruction === undefined) {
      const bytes = hex(fn.code.subarray(at, at + 8));
      refuse(
        'unknown-instruction',
        `unknown instruction ${bytes} in ${fn.symbol} at 0x${(fn.address + at).toString(16)}`,
      );
    }
    instructions.set(at, instruction);
    const { flow } = instruction;
    if (flow.kind === 'return') returns.push(at);
    if (flow.kind === 'indirectJump' || flow.kind === 'foreign') leaving.push(at);
    if (flow.kind === 'jump' || flow.kind === 'branch') {
      if (flow.target >= 0 && flow.target < fn.code.length) targets.add(flow.target);
      else leaving.push(at);
    }
    at += instruction.length;
  }
  for (const target of targets) {
    if (!instructions.has(target)) {
      refuse('unexpected-code', `${fn.symbol} jumps to 0x${(fn.address + target).toString(16)}, inside an instruction`);
    }
  }
  return { set, instructions, returns, targets, leaving };
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
