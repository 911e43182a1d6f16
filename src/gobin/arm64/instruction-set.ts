import type { InstructionSet } from '../code/instruction.ts';
import { decode } from './decode.ts';
import { entryProbe } from './entry.ts';
import { betweenExclusives } from './exclusive.ts';
import { operands } from './operands.ts';
import { matches, wordAt, wordBytes } from './word.ts';
import { zeroTest } from './zero-test.ts';

const nop = 0xd503_201f;

export const a64: InstructionSet = {
  decode,
  isNop: (code, at) => wordAt(code, at) === nop,
  operands,
  zeroTest: (code, _body, at) => zeroTest(code, at),
  entry: entryProbe,
  // B, B.cond, CBZ, TBZ: simulated at a uprobe instead of single-stepped (arch/arm64/kernel/probes/decode-insn.c).
  mayCarryProbe: (fn, body, at) => {
    const kind = body.instructions.get(at)?.flow.kind;
    return (kind === 'jump' || kind === 'branch') && !betweenExclusives(fn.code, body).has(at);
  },
  // The old ABI passes arguments on the stack: MOVD R, 8(RSP) stands before the BL. Go's own functions take them in registers.
  callsAssembly: (code, _body, at) => matches(wordAt(code, at - wordBytes), 0xffff_ffe0, 0xf900_07e0),
  secondArgument: 1,
};
