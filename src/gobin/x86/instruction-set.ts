import type { InstructionSet } from '../code/instruction.ts';
import { decode } from './decode.ts';
import { isEmulatedJump } from './emulated.ts';
import { entryProbe } from './entry.ts';
import { operands, registerNames } from './writes.ts';
import { zeroTest } from './zero-test.ts';

/** After a call of assembly the compiler sets X15 to zero again: `XORPS X15, X15` (cmd/compile/abi-internal.md). */
const zeroX15 = [0x45, 0x0f, 0x57, 0xff];

export const x86: InstructionSet = {
  decode,
  isNop,
  operands,
  zeroTest,
  entry: entryProbe,
  mayCarryProbe: (fn, _body, at) => isEmulatedJump(fn.code, at),
  callsAssembly: (code, body, at) => {
    const after = at + (body.instructions.get(at)?.length ?? 0);
    return zeroX15.every((byte, i) => code[after + i] === byte);
  },
  secondArgument: registerNames.indexOf('bx'),
};

/** NOP and the recommended multi-byte NOPs (Intel SDM volume 2, NOP). */
function isNop(code: Uint8Array, at: number): boolean {
  let next = at;
  while (code[next] === 0x66 || code[next] === 0x2e) next++;
  return code[next] === 0x90 || (code[next] === 0x0f && code[next + 1] === 0x1f);
}
