import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode } from './decode.ts';
import { operands, registerNames } from './writes.ts';

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text.split(' ').map((byte) => Number.parseInt(byte, 16)));

describe('what an instruction does to registers', () => {
  it.each([
    ['XORL CX, CX', '31 c9', ['cx'], { register: 1, value: 0 }, undefined],
    ['XORB CL, CL', '30 c9', ['cx'], undefined, undefined],
    ['XORL AX, CX', '31 c1', ['cx'], undefined, undefined],
    ['MOVL $1, DX', 'ba 01 00 00 00', ['dx'], { register: 2, value: 1 }, undefined],
    ['MOVL $1, R10', '41 ba 01 00 00 00', ['r10'], { register: 10, value: 1 }, undefined],
    ['MOVW $1, DX', '66 ba 01 00', ['dx'], undefined, undefined],
    ['MOVB mem, DL', '8a 15 00 00 00 00', ['dx'], undefined, undefined],
    ['TESTL CX, CX', '85 c9', [], undefined, 1],
    ['TESTB R9, R9', '45 84 c9', [], undefined, 9],
    ['TESTB CH, CH', '84 ed', [], undefined, undefined],
    ['MOVB $1, CH', 'b5 01', ['cx', 'bp'], undefined, undefined],
    ['CMPQ AX, BX', '48 39 c3', [], undefined, undefined],
    ['ADDQ SI, mem', '48 01 b0 b8 01 00 00', [], undefined, undefined],
    ['LOCK XADDQ R9, 0(DI)', 'f0 4c 0f c1 0f', ['r9'], undefined, undefined],
    ['LOCK CMPXCHGQ R8, 0(DX)', 'f0 4c 0f b1 02', ['ax'], undefined, undefined],
    ['CMOVLT DX, SI', '48 0f 4c f2', ['si'], undefined, undefined],
    ['BTL $0, R9', '41 0f ba e1 00', [], undefined, undefined],
    ['MULQ CX', '48 f7 e1', ['ax', 'dx'], undefined, undefined],
    ['CVTTSD2SIQ X1, R8', 'f2 4c 0f 2c c1', ['r8'], undefined, undefined],
    ['POPQ BP', '5d', ['sp', 'bp'], undefined, undefined],
  ])('%s', (_name, text, written, constant, tests) => {
    const found = operands(bytesOf(text), 0);
    const names = found.writes === 'any' ? 'any' : [...found.writes].map((r) => registerNames[r]).sort();
    expect(names).toEqual([...written].sort());
    expect(found.constant).toEqual(constant);
    expect(found.tests).toBe(tests);
  });

  it.each([
    ['CALL AX', 'ff d0'],
    ['CPUID', '0f a2'],
    ['REP STOSQ', 'f3 48 ab'],
    ['VPXOR', 'c5 fd ef c0'],
    ['IN AL, DX', 'ec'],
  ])('is not known: %s', (_name, text) => {
    expect(operands(bytesOf(text), 0).writes).toBe('any');
  });

  it('depends on no byte after the instruction', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.nat(255), (bytes, filler) => {
        const instruction = decode(bytes, 0);
        if (instruction === undefined) return;
        const other = bytes.slice().fill(filler, instruction.length);
        expect(operands(other, 0)).toEqual(operands(bytes, 0));
      }),
      { numRuns: 5000 },
    );
  });
});
