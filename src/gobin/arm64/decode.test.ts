import { describe, expect, it } from 'vitest';
import type { Flow } from '../code/instruction.ts';
import { decode } from './decode.ts';

const next: Flow = { kind: 'next' };
const bytesOf = (word: number): Uint8Array => new Uint8Array(new Uint32Array([word]).buffer);

describe('the flow of arm64 instructions', () => {
  // As go tool objdump has them.
  it.each<[string, number, Flow]>([
    ['MOVD 16(R28), R16', 0xf9400b90, next],
    ['MOVD.W R30, -144(RSP)', 0xf8170ffe, next],
    ['ADRP', 0xb0000adb, next],
    ['ADD $1824, R4, R4', 0x911c8084, next],
    ['ORR $1, ZR, R3', 0xb24003e3, next],
    ['MOVD ZR, R1', 0xaa1f03e1, next],
    ['FMULD F0, F1, F0', 0x1e600820, next],
    ['LDADDALD', 0xf8e300c8, next],
    ['NOOP', 0xd503201f, next],
    ['DMB', 0xd5033bbf, next],
    ['MRS', 0xd53bd040, next],
    ['SVC $0', 0xd4000001, next],
    ['BRK', 0xd4200000, { kind: 'trap' }],
    ['UDF, as behind a function', 0x00000000, { kind: 'trap' }],
    ['RET', 0xd65f03c0, { kind: 'return' }],
    ['RET (R1)', 0xd65f0020, { kind: 'foreign' }],
    ['JMP (R27)', 0xd61f0360, { kind: 'indirectJump' }],
    ['CALL (R0)', 0xd63f0000, { kind: 'call', target: null }],
    ['CALL 2(PC)', 0x94000002, { kind: 'call', target: 8 }],
    ['CALL -1(PC)', 0x97ffffff, { kind: 'call', target: -4 }],
    ['JMP 10(PC)', 0x1400000a, { kind: 'jump', target: 40 }],
    ['JMP -149(PC)', 0x17ffff6b, { kind: 'jump', target: -596 }],
    ['BLS 353(PC)', 0x54002c29, { kind: 'branch', target: 1412 }],
    ['CBZW R3, 4(PC)', 0x34000083, { kind: 'branch', target: 16 }],
    ['CBNZ R27, -3(PC)', 0xb5ffffbb, { kind: 'branch', target: -12 }],
    ['TBZ $63, R2, 64(PC)', 0xb6f80802, { kind: 'branch', target: 256 }],
    ['TBNZ $0, R1, 54(PC)', 0x370006c1, { kind: 'branch', target: 216 }],
  ])('%s', (_name, word, flow) => {
    expect(decode(bytesOf(word), 0)).toEqual({ length: 4, flow });
  });

  it.each([
    ['a load of a constant that stands in the code', 0x58000040],
    ['a return with pointer authentication', 0xd65f0bff],
    ['ERET', 0xd69f03e0],
    ['a hinted branch', 0x54000070],
    ['HLT', 0xd4400000],
    ['SVE', 0x04200000],
    ['what is not allocated', 0x02000000],
  ])('is not known: %s', (_name, word) => {
    expect(decode(bytesOf(word), 0)).toBeUndefined();
  });

  it('is not known where the code ends', () => {
    for (const length of [0, 1, 2, 3]) expect(decode(bytesOf(0xd65f03c0).subarray(0, length), 0)).toBeUndefined();
  });
});
