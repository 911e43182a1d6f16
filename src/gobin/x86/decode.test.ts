import { describe, expect, it } from 'vitest';
import type { Flow } from '../code/instruction.ts';
import { decode } from './decode.ts';

const code = (text: string): Uint8Array => Uint8Array.from(text.split(' ').map((byte) => Number.parseInt(byte, 16)));
const next: Flow = { kind: 'next' };

/** Each line as GNU objdump has it; the last column is what it does to the flow of control (target counted from the first byte). */
const known: readonly (readonly [string, string, Flow])[] = [
  ['49 3b 66 10', 'CMPQ SP, 16(R14)', next],
  ['55', 'PUSHQ BP', next],
  ['48 89 e5', 'MOVQ SP, BP', next],
  ['48 83 ec 50', 'SUBQ $80, SP', next],
  ['48 81 ec 00 02 00 00', 'SUBQ $512, SP', next],
  ['48 8b 05 c3 c3 c3 c3', 'MOVQ rip-relative, AX', next],
  ['48 8d 84 24 c3 00 00 00', 'LEAQ 195(SP), AX: SIB and disp32', next],
  ['48 8d 04 c5 c3 00 00 00', 'LEAQ (AX*8), AX: SIB without base', next],
  ['48 b8 c3 c3 c3 c3 c3 c3 c3 c3', 'MOVQ $imm64, AX', next],
  ['b8 c3 c3 c3 c3', 'MOVL $imm32, AX', next],
  ['66 b8 c3 c3', 'MOVW $imm16, AX', next],
  ['48 c7 44 24 08 c3 00 00 00', 'MOVQ $imm32, 8(SP)', next],
  ['66 c7 04 24 c3 c3', 'MOVW $imm16, (SP)', next],
  ['f6 c1 c3', 'TESTB $imm8, CL', next],
  ['f6 d1', 'NOTB CL: same opcode, no immediate', next],
  ['f7 c1 c3 c3 c3 c3', 'TESTL $imm32, CX', next],
  ['48 f7 e1', 'MULQ CX', next],
  ['f0 48 0f b1 0a', 'LOCK CMPXCHGQ CX, (DX)', next],
  ['f3 48 ab', 'REP STOSQ', next],
  ['66 44 0f d6 7c 24 78', 'MOVQ X15, 120(SP)', next],
  ['0f 1f 84 00 00 00 00 00', 'NOPL', next],
  ['66 0f 3a 0f c1 c3', 'PALIGNR', next],
  ['f3 0f b8 c1', 'POPCNT', next],
  ['c5 fd 6f 04 24', 'VMOVDQA', next],
  ['c5 f8 77', 'VZEROUPPER: no ModRM', next],
  ['c4 e2 7d 59 05 c3 00 00 00', 'VPBROADCASTQ', next],
  ['c4 e3 fd 00 c0 c3', 'VPERMQ', next],
  ['62 f1 fd 48 6f 44 24 01', 'VMOVDQA64 (EVEX)', next],
  ['c3', 'RET', { kind: 'return' }],
  ['f3 c3', 'REPZ RET', { kind: 'foreign' }],
  ['c2 08 00', 'RET $8', { kind: 'foreign' }],
  ['eb fe', 'JMP to itself', { kind: 'jump', target: 0 }],
  ['e9 00 01 00 00', 'JMP rel32', { kind: 'jump', target: 261 }],
  ['74 7f', 'JE', { kind: 'branch', target: 129 }],
  ['0f 86 fa ff ff ff', 'JBE rel32', { kind: 'branch', target: 0 }],
  ['e8 00 00 00 80', 'CALL rel32', { kind: 'call', target: 5 - 2 ** 31 }],
  ['ff 12', 'CALL (DX)', { kind: 'call', target: null }],
  ['ff e0', 'JMP AX', { kind: 'indirectJump' }],
  ['ff 24 c5 c3 c3 c3 c3', 'JMP (AX*8): a jump table', { kind: 'indirectJump' }],
  ['ff 2c 24', 'far JMP', { kind: 'foreign' }],
  ['0f 0b', 'UD2', { kind: 'trap' }],
  ['cc', 'INT3', { kind: 'trap' }],
];

describe('decode', () => {
  it.each(known)('%s  %s', (bytes, _name, flow) => {
    const instruction = code(bytes);
    expect(decode(instruction, 0)).toEqual({ length: instruction.length, flow });
    // The bytes that follow do not matter.
    expect(decode(Uint8Array.from([0x90, ...instruction, 0xc3, 0xc3, 0xc3]), 1)).toMatchObject({
      length: instruction.length,
    });
    // Cut off anywhere it is not an instruction of this length.
    for (let cut = 0; cut < instruction.length; cut++) expect(decode(instruction.subarray(0, cut), 0)).toBeUndefined();
  });

  it.each([
    ['06', 'no opcode in 64-bit mode'],
    ['0f 38', 'cut off'],
    ['9b', 'FWAIT'],
    ['66 e9 00 00 00 00', 'a near branch with an operand size prefix: Intel and AMD disagree'],
    ['48 c5 fd 6f c0', 'REX before VEX'],
    ['c4 e0 7d 59 c0', 'VEX map 0'],
    ['c7 c8 00 00 00 00', 'C7 /1'],
    ['ff ff', 'FF /7'],
    ['66 66 66 66 66 66 66 66 66 66 66 66 66 66 66 90', 'longer than 15 bytes'],
  ])('does not know %s  (%s)', (bytes) => {
    expect(decode(code(bytes), 0)).toBeUndefined();
  });
});
