import { describe, expect, it } from 'vitest';
import { operands } from './operands.ts';
import { zeroTest } from './zero-test.ts';

const bytesOf = (word: number): Uint8Array => new Uint8Array(new Uint32Array([word]).buffer);

describe('what an arm64 instruction does to registers', () => {
  it.each<[string, number, number[], number | undefined]>([
    ['MOVD ZR, R1', 0xaa1f03e1, [1], 0],
    ['MOVW ZR, R1', 0x2a1f03e1, [1], 0],
    ['MOVD R2, R1', 0xaa0203e1, [1], undefined],
    ['ORR $1, ZR, R1', 0xb24003e1, [1], 1],
    ['ORR $2, ZR, R2', 0xb27f03e2, [2], undefined],
    ['ORR $3, ZR, R0', 0xb24007e0, [0], 1],
    ['ORR $65536, ZR, R4', 0xb27003e4, [4], undefined],
    ['ORR $0x5555555555555555, ZR, R0', 0xb200f3e0, [0], 1],
    ['ORR $0xaaaaaaaaaaaaaaaa, ZR, R0', 0xb201f3e0, [0], undefined],
    ['MOVD $0, R1', 0xd2800001, [1], 0],
    ['MOVD $5, R4', 0xd28000a4, [4], 1],
    ['MOVD $4, R4', 0xd2800084, [4], undefined],
    ['MOVD $(1<<16), R4', 0xd2a00024, [4], undefined],
    ['MOVD $-1314, R0', 0x9280a420, [0], undefined],
    ['CMP R2, R28', 0xeb02039f, [], undefined],
    ['CSET NE, R2', 0x9a9f07e2, [2], undefined],
    ['CCMP', 0xfa421004, [], undefined],
    ['ADRP R27', 0xb0000adb, [27], undefined],
    ['MOVD R1, 8(RSP)', 0xf90007e1, [], undefined],
    ['MOVD 8(RSP), R1', 0xf94007e1, [1], undefined],
    ['MOVD.W R30, -144(RSP)', 0xf8170ffe, [], undefined],
    ['MOVD.P 16(R1), R2', 0xf8410422, [1, 2], undefined],
    ['MOVD (R1)(R2), R3', 0xf8626823, [3], undefined],
    ['STP (R3, R2), 80(RSP)', 0xa9050be3, [], undefined],
    ['LDP (R27), (R5, R6)', 0xa9401b65, [5, 6], undefined],
    ['STP.W (R1, R2), -16(R3)', 0xa9bf0861, [3], undefined],
    ['FMOVD 3448(R27), F1', 0xfd46bf61, [], undefined],
    ['LDAR (R3), R3', 0xc8dffc63, [3], undefined],
    ['STLRB ZR, (R0)', 0x089ffc1f, [], undefined],
    ['LDAXR (R5), R27', 0xc85ffcbb, [27], undefined],
    ['STLXR ZR, (R5), R7', 0xc807fcbf, [7], undefined],
    ['CASALD R27, (R5), ZR', 0xc8fbfcbf, [27], undefined],
    ['LDADDALD R3, (R6), R8', 0xf8e300c8, [8], undefined],
    ['SCVTFD R5, F1', 0x9e6200a1, [], undefined],
    ['FCVTZSD F0, R5', 0x9e780005, [5], undefined],
    ['FMOVD R3, F0', 0x9e670060, [], undefined],
    ['FMOVD F1, R1', 0x9e660021, [1], undefined],
    ['VMOV V0.D[0], R1', 0x4e083c01, [1], undefined],
    ['FMULD F0, F1, F1', 0x1e600821, [], undefined],
    ['CBNZ R1', 0xb5000061, [], undefined],
    ['JMP', 0x1400000a, [], undefined],
    ['RET', 0xd65f03c0, [], undefined],
    ['NOOP', 0xd503201f, [], undefined],
    ['DMB', 0xd5033bbf, [], undefined],
    ['MRS TPIDR_EL0, R1', 0xd53bd041, [1], undefined],
  ])('%s', (_name, word, written, value) => {
    const { writes, constant } = operands(bytesOf(word), 0);
    expect(writes === 'any' ? writes : [...writes].sort((a, b) => a - b)).toEqual(written);
    expect(constant?.value).toBe(value);
    if (constant) expect([constant.register]).toEqual(written);
  });

  it.each([
    ['CALL', 0x94000002],
    ['CALL (R0)', 0xd63f0000],
    ['SVC $0', 0xd4000001],
    ['CASP', 0x48207c82],
    ['LDXP', 0xc87f0440],
  ])('is not known: %s', (_name, word) => {
    expect(operands(bytesOf(word), 0).writes).toBe('any');
  });
});

describe('branches that ask whether a register is zero', () => {
  it.each([
    ['CBZ R1', 0xb4000061, { register: 1, jumpsOnZero: true }],
    ['CBNZ R1', 0xb5000061, { register: 1, jumpsOnZero: false }],
    ['CBZW R3', 0x34000083, { register: 3, jumpsOnZero: true }],
    ['TBZ $0, R0', 0x3607ecc0, { register: 0, jumpsOnZero: true }],
    ['TBNZ $0, R8', 0x370000c8, { register: 8, jumpsOnZero: false }],
    ['TBZ $1, R6', 0x36080066, undefined],
    ['TBZ $32, R6', 0xb6000066, undefined],
    ['CBZ ZR', 0xb400007f, undefined],
    ['BEQ', 0x54000460, undefined],
    ['JMP', 0x14000005, undefined],
  ])('%s', (_name, word, test) => {
    expect(zeroTest(bytesOf(word), 0)).toEqual(test);
  });
});
