import type { Flow, Instruction } from '../code/instruction.ts';
import { evexTwoByteMap, oneByteMap, type Shape, twoByteMap, vexTwoByteMap } from './opcodes.ts';

const maxLength = 15;

/**
 * Length and flow of the x86-64 instruction at `code[at]`, or undefined when it is not one this table knows
 * (then nothing after it can be trusted either).
 */
export function decode(code: Uint8Array, at: number): Instruction | undefined {
  const limit = Math.min(code.length, at + maxLength);
  let next = at;
  let operandSize16 = false;
  let addressSize32 = false;
  let repeat = false;
  let lock = false;
  for (; next < limit; next++) {
    const byte = code[next];
    if (byte === 0x66) operandSize16 = true;
    else if (byte === 0x67) addressSize32 = true;
    else if (byte === 0xf2 || byte === 0xf3) repeat = true;
    else if (byte === 0xf0) lock = true;
    else if (!(byte === 0x2e || byte === 0x36 || byte === 0x3e || byte === 0x26 || byte === 0x64 || byte === 0x65))
      break;
  }
  let rexW = false;
  let hasRex = false;
  const maybeRex = code[next];
  if (maybeRex !== undefined && maybeRex >= 0x40 && maybeRex <= 0x4f) {
    hasRex = true;
    rexW = (maybeRex & 8) !== 0;
    next++;
  }

  const found = opcodeAt(code, next, operandSize16 || repeat || lock || hasRex);
  if (found === undefined) return undefined;
  const { shape, opcode, map } = found;
  next = found.next;

  let reg = 0;
  if (shape.modrm) {
    const modrm = code[next];
    if (modrm === undefined) return undefined;
    reg = (modrm >> 3) & 7;
    const operand = modrmLength(code, next);
    if (operand === undefined) return undefined;
    next += operand;
  }
  if (map === 'one' && !groupAllows(opcode, reg)) return undefined;

  const isRelative = shape.immediate === 'rel8' || shape.immediate === 'rel32';
  // With a 66 prefix, Intel and AMD disagree about the length of near branches.
  if (isRelative && operandSize16) return undefined;
  const immediate = immediateBytes(shape, { operandSize16, addressSize32, rexW, reg, byteOperand: opcode === 0xf6 });
  const end = next + immediate;
  if (end > limit) return undefined;
  const length = end - at;
  if (isRelative) return { length, flow: relativeFlow(map, opcode, end + signed(code, next, immediate)) };
  if (map !== 'one') return { length, flow: { kind: map === 'two' && opcode === 0x0b ? 'trap' : 'next' } };
  return { length, flow: opcode === 0xc3 ? returnFlow(length) : oneByteFlow(opcode, reg) };
}

interface Opcode {
  readonly shape: Shape;
  readonly opcode: number;
  readonly map: 'one' | 'two' | 'other';
  /** Index after the opcode. */
  readonly next: number;
}

const plain: Shape = { modrm: true, immediate: 0 };
const withByte: Shape = { modrm: true, immediate: 1 };

function opcodeAt(code: Uint8Array, at: number, prefixed: boolean): Opcode | undefined {
  const first = code[at];
  const second = code[at + 1];
  const third = code[at + 2];
  if (first === undefined) return undefined;
  if (first === 0x0f) {
    if (second === undefined) return undefined;
    if (second === 0x38) return known(plain, third, 'other', at + 3);
    if (second === 0x3a) return known(withByte, third, 'other', at + 3);
    return known(twoByteMap[second], second, 'two', at + 2);
  }
  if (first === 0xc5 || first === 0xc4 || first === 0x62) {
    // Legacy prefixes and REX are invalid before VEX and EVEX.
    if (prefixed || second === undefined || third === undefined) return undefined;
    if (first === 0xc5) return known(vexTwoByteMap[third], third, 'other', at + 3);
    if (first === 0xc4) return extended(code, at + 3, second & 0x1f, vexTwoByteMap);
    // EVEX: bit 3 of its first payload byte is 0, bit 2 of its second is 1.
    if ((second & 0x08) !== 0 || (third & 0x04) === 0) return undefined;
    return extended(code, at + 4, second & 0x07, evexTwoByteMap);
  }
  return known(oneByteMap[first], first, 'one', at + 1);
}

function extended(
  code: Uint8Array,
  at: number,
  map: number,
  twoByte: readonly (Shape | undefined)[],
): Opcode | undefined {
  const opcode = code[at];
  if (opcode === undefined) return undefined;
  const shape = map === 1 ? twoByte[opcode] : map === 2 ? plain : map === 3 ? withByte : undefined;
  return known(shape, opcode, 'other', at + 1);
}

function known(
  shape: Shape | undefined,
  opcode: number | undefined,
  map: Opcode['map'],
  next: number,
): Opcode | undefined {
  return shape === undefined || opcode === undefined ? undefined : { shape, opcode, map, next };
}

/** Bytes of ModRM, SIB and displacement (SDM volume 2, tables 2-2 and 2-3). */
function modrmLength(code: Uint8Array, at: number): number | undefined {
  const modrm = code[at];
  if (modrm === undefined) return undefined;
  const mod = modrm >> 6;
  const rm = modrm & 7;
  if (mod === 3) return 1;
  const displacement = mod === 1 ? 1 : mod === 2 ? 4 : 0;
  if (rm !== 4) return 1 + (mod === 0 && rm === 5 ? 4 : displacement);
  const sib = code[at + 1];
  if (sib === undefined) return undefined;
  return 2 + (mod === 0 && (sib & 7) === 5 ? 4 : displacement);
}

/** Opcode extensions in ModRM.reg that exist in these groups. */
function groupAllows(opcode: number, reg: number): boolean {
  if (opcode === 0xc6 || opcode === 0xc7) return reg === 0;
  if (opcode === 0xfe) return reg <= 1;
  if (opcode === 0xff) return reg <= 6;
  return true;
}

interface Sizes {
  readonly operandSize16: boolean;
  readonly addressSize32: boolean;
  readonly rexW: boolean;
  readonly reg: number;
  readonly byteOperand: boolean;
}

function immediateBytes({ immediate }: Shape, sizes: Sizes): number {
  // REX.W wins over 66.
  const z = sizes.operandSize16 && !sizes.rexW ? 2 : 4;
  switch (immediate) {
    case 'z':
      return z;
    case 'v':
      return sizes.rexW ? 8 : z;
    case 'moffs':
      return sizes.addressSize32 ? 4 : 8;
    case 'group3':
      return sizes.reg > 1 ? 0 : sizes.byteOperand ? 1 : z;
    case 'rel8':
      return 1;
    case 'rel32':
      return 4;
    default:
      return immediate;
  }
}

function signed(code: Uint8Array, at: number, bytes: number): number {
  let value = 0;
  for (let i = bytes - 1; i >= 0; i--) value = (value << 8) | (code[at + i] ?? 0);
  return bytes === 1 ? (value << 24) >> 24 : value;
}

function relativeFlow(map: Opcode['map'], opcode: number, target: number): Flow {
  if (map === 'one' && opcode === 0xe8) return { kind: 'call', target };
  const always = map === 'one' && (opcode === 0xe9 || opcode === 0xeb);
  return { kind: always ? 'jump' : 'branch', target };
}

/** A probe on RET needs the bare byte: Go writes it without prefixes (C compilers: also as REPZ RET). */
function returnFlow(length: number): Flow {
  return { kind: length === 1 ? 'return' : 'foreign' };
}

function oneByteFlow(opcode: number, reg: number): Flow {
  if (opcode === 0xc2) return { kind: 'foreign' };
  if (opcode === 0xcc) return { kind: 'trap' };
  if (opcode === 0xff && reg === 2) return { kind: 'call', target: null };
  if (opcode === 0xff && reg === 4) return { kind: 'indirectJump' };
  if (opcode === 0xff && (reg === 3 || reg === 5)) return { kind: 'foreign' };
  return { kind: 'next' };
}
