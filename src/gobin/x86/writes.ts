import type { Operands, Register } from '../code/instruction.ts';

/**
 * In the order of their numbers as ModRM and REX encode them (Intel SDM volume 2, table 2-2 and section 2.2.1.2), as Go's assembler
 * names them, in lower case.
 */
export const registerNames = [
  ...['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di'],
  ...['r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'],
] as const;

export interface X86Operands extends Operands {
  /** Set for `TEST r, r`: the jump on zero that follows asks whether this register is zero (its low byte at least). */
  readonly tests?: Register;
}

const nothing: X86Operands = { writes: new Set() };
const anything: X86Operands = { writes: 'any' };

/**
 * Reads the instruction at `code[at]`, which is known to decode, for its general registers. Errs on the side of `any`.
 * Opcodes: Intel SDM volume 2, appendix A.
 */
export function operands(code: Uint8Array, at: number): X86Operands {
  let next = at;
  let isWord = false;
  for (; isLegacyPrefix(code[next] ?? 0); next++) isWord ||= code[next] === 0x66;
  let rex = 0;
  const maybeRex = code[next] ?? 0;
  if (maybeRex >= 0x40 && maybeRex <= 0x4f) {
    rex = maybeRex;
    next++;
  }
  const opcode = code[next] ?? 0;
  if (opcode === 0x0f) return twoByte(code, next + 1, rex);
  const found = oneByte(code, next, opcode, rex);
  // A 16-bit operation leaves the rest of the register as it was.
  return isWord ? { writes: found.writes } : found;
}

function isLegacyPrefix(byte: number): boolean {
  return [0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x2e, 0x36, 0x3e, 0x26, 0x64, 0x65].includes(byte);
}

interface ModRm {
  readonly reg: Register;
  /** The extension of a group's opcode: reg without REX. */
  readonly digit: number;
  /** Null: memory. */
  readonly rm: Register | null;
}

function modrm(code: Uint8Array, at: number, rex: number): ModRm {
  const byte = code[at] ?? 0;
  const digit = (byte >> 3) & 7;
  return {
    reg: digit | ((rex & 4) << 1),
    digit,
    rm: byte >> 6 === 3 ? (byte & 7) | ((rex & 1) << 3) : null,
  };
}

/** AH to BH are no registers of their own here: byte operands 4 to 7 without REX also stand for AX to BX. */
function writing(...registers: (Register | null)[]): X86Operands {
  return { writes: new Set(registers.filter((r) => r !== null)) };
}

function byteWriting(rex: number, register: Register | null): X86Operands {
  return rex === 0 && register !== null ? writing(register, register & 3) : writing(register);
}

function oneByte(code: Uint8Array, at: number, opcode: number, rex: number): X86Operands {
  const { reg, digit, rm } = modrm(code, at + 1, rex);
  if (opcode < 0x40 && (opcode & 7) < 6) return arithmetic(opcode, { reg, digit, rm }, rex);
  if (opcode >= 0x50 && opcode <= 0x57) return writing(4);
  if (opcode >= 0x58 && opcode <= 0x5f) return writing(4, (opcode & 7) | ((rex & 1) << 3));
  if (opcode >= 0x70 && opcode <= 0x7f) return nothing;
  if (opcode >= 0xb0 && opcode <= 0xb7) return byteWriting(rex, (opcode & 7) | ((rex & 1) << 3));
  if (opcode >= 0xb8 && opcode <= 0xbf) {
    const register = (opcode & 7) | ((rex & 1) << 3);
    return (rex & 8) === 0
      ? { ...writing(register), constant: { register, value: u32(code, at + 1) } }
      : writing(register);
  }
  switch (opcode) {
    case 0x63:
    case 0x69:
    case 0x6b:
    case 0x8b:
    case 0x8d:
      return writing(reg);
    case 0x80:
      return digit === 7 ? nothing : byteWriting(rex, rm);
    case 0x81:
    case 0x83:
      return digit === 7 ? nothing : writing(rm);
    case 0x84:
      return rm === reg && (rex !== 0 || reg < 4) ? { ...nothing, tests: reg } : nothing;
    case 0x85:
      return rm === reg ? { ...nothing, tests: reg } : nothing;
    case 0x88:
    case 0xc6:
      return byteWriting(rex, rm);
    case 0x89:
    case 0xc7:
    case 0xc1:
    case 0xd1:
    case 0xd3:
      return writing(rm);
    case 0x8a:
      return byteWriting(rex, reg);
    case 0x90:
      return (rex & 1) === 0 ? nothing : anything;
    case 0x87:
      return writing(reg, rm);
    case 0xa8:
    case 0xa9:
    case 0xe9:
    case 0xeb:
    case 0xc3:
      return nothing;
    case 0xf6:
      return digit <= 1 ? nothing : digit <= 3 ? byteWriting(rex, rm) : writing(0);
    case 0xf7:
      return digit <= 1 ? nothing : digit <= 3 ? writing(rm) : writing(0, 2);
    case 0xff:
      return digit <= 1 ? writing(rm) : anything;
    default:
      return anything;
  }
}

/** The eight operations of 00 to 3F, in four forms with ModRM and two on AX; CMP writes nothing, XOR of a register with itself is 0. */
function arithmetic(opcode: number, { reg, rm }: ModRm, rex: number): X86Operands {
  const form = opcode & 7;
  if (opcode >> 3 === 7) return nothing;
  if (form >= 4) return writing(0);
  const written = form < 2 ? rm : reg;
  if (opcode >> 3 === 6 && (form & 1) === 1 && rm === reg)
    return { ...writing(reg), constant: { register: reg, value: 0 } };
  return (form & 1) === 0 ? byteWriting(rex, written) : writing(written);
}

function twoByte(code: Uint8Array, at: number, rex: number): X86Operands {
  const opcode = code[at] ?? 0;
  const { reg, digit, rm } = modrm(code, at + 1, rex);
  if (opcode >= 0x40 && opcode <= 0x4f) return writing(reg);
  if (opcode >= 0x80 && opcode <= 0x8f) return nothing;
  if (opcode >= 0x90 && opcode <= 0x9f) return byteWriting(rex, rm);
  // SSE moves and arithmetic that write vector registers or memory.
  if ([0x10, 0x11, 0x28, 0x29, 0x2a, 0x2e, 0x2f, 0x51, 0x57, 0x58, 0x59, 0x5c, 0x5e, 0x6e, 0x6f, 0x7f].includes(opcode))
    return nothing;
  switch (opcode) {
    case 0x1f:
    case 0x18:
    case 0xa3:
      return nothing;
    case 0x2c:
    case 0x2d:
    case 0xaf:
    case 0xb6:
    case 0xb7:
    case 0xbc:
    case 0xbd:
    case 0xbe:
    case 0xbf:
      return writing(reg);
    case 0xab:
    case 0xb3:
    case 0xbb:
      return writing(rm);
    case 0xba:
      return digit === 4 ? nothing : writing(rm);
    case 0xb0:
      return anything;
    case 0xb1:
      return writing(0, rm);
    case 0xc0:
      return anything;
    case 0xc1:
      return writing(reg, rm);
    default:
      return anything;
  }
}

function u32(code: Uint8Array, at: number): number {
  return (
    ((code[at] ?? 0) | ((code[at + 1] ?? 0) << 8) | ((code[at + 2] ?? 0) << 16) | ((code[at + 3] ?? 0) << 24)) >>> 0
  );
}
