import type { Operands, Register } from '../code/instruction.ts';
import { field, matches, wordAt } from './word.ts';

const nothing: Operands = { writes: new Set() };
const anything: Operands = { writes: 'any' };

/** R31 stands for the stack pointer or for zero: neither is asked for. */
function writing(...registers: Register[]): Operands {
  return { writes: new Set(registers.filter((register) => register !== 31)) };
}

/**
 * Reads the instruction at `code[at]`, which is known to decode, for its general registers. Errs on the side of `any`.
 * Encodings: Arm Architecture Reference Manual (DDI 0487), section C4.1.
 */
export function operands(code: Uint8Array, at: number): Operands {
  const word = wordAt(code, at) ?? 0;
  const group = field(word, 25, 4);
  if ((group & 0b1110) === 0b1000) return immediate(word);
  if ((group & 0b1110) === 0b1010) return branchOrSystem(word);
  if ((group & 0b0101) === 0b0100) return loadOrStore(word);
  if ((group & 0b0111) === 0b0101) return ofRegisters(word);
  if ((group & 0b0111) === 0b0111) return floatingPoint(word);
  return group === 0 ? nothing : anything;
}

const rd = (word: number): Register => field(word, 0, 5);
const rn = (word: number): Register => field(word, 5, 5);
const rm = (word: number): Register => field(word, 16, 5);
const rt2 = (word: number): Register => field(word, 10, 5);

/** A constant whose lowest bit is set counts as 1. */
function constant(register: Register, value: number): Operands {
  return { ...writing(register), constant: { register, value } };
}

function immediate(word: number): Operands {
  const register = rd(word);
  if (matches(word, 0x7f80_0000, 0x5280_0000)) {
    // MOVZ: 16 bits, shifted.
    const [value, shift] = [field(word, 5, 16), field(word, 21, 2)];
    if (value === 0) return constant(register, 0);
    if (shift === 0 && value % 2 === 1) return constant(register, 1);
  }
  // ORR of zero: a run of ones, rotated right within its element; bit 0 is that of the run which the rotation puts there.
  if (matches(word, 0x7f80_03e0, 0x3200_03e0) && register !== 31) {
    const [rotated, ones, is64] = [field(word, 16, 6), field(word, 10, 6), field(word, 22, 1)];
    const element = elementBits(is64, ones);
    if (element !== undefined && rotated % element <= ones % element) return constant(register, 1);
  }
  return writing(register);
}

/** DecodeBitMasks of the manual: the highest set bit of N:NOT(imms). */
function elementBits(n: number, imms: number): number | undefined {
  const pattern = (n << 6) | (~imms & 0x3f);
  const bits = 31 - Math.clz32(pattern);
  return bits < 1 ? undefined : 2 ** bits;
}

function branchOrSystem(word: number): Operands {
  if (matches(word, 0x7c00_0000, 0x1400_0000)) return field(word, 31, 1) === 0 ? nothing : anything;
  // B.cond, CBZ, TBZ and their opposites.
  if (matches(word, 0xff00_0010, 0x5400_0000) || matches(word, 0x7c00_0000, 0x3400_0000)) return nothing;
  // BR, RET.
  if (matches(word, 0xffdf_fc1f, 0xd61f_0000) && !matches(word, 0xffff_fc1f, 0xd63f_0000)) return nothing;
  if (matches(word, 0xffff_fc1f, 0xd65f_0000)) return nothing;
  // Hints, barriers and the like of R31.
  if (matches(word, 0xffff_f01f, 0xd503_201f) || matches(word, 0xffff_f01f, 0xd503_301f)) return nothing;
  if (matches(word, 0xfff0_0000, 0xd530_0000)) return writing(rd(word)); // MRS
  return anything;
}

function loadOrStore(word: number): Operands {
  const isVector = field(word, 26, 1) === 1;
  switch (field(word, 28, 2)) {
    case 0b00:
      return isVector || field(word, 24, 1) === 1 ? anything : exclusiveOrOrdered(word);
    case 0b10: {
      const writesBack = field(word, 23, 1) === 1 ? [rn(word)] : [];
      const loaded = field(word, 22, 1) === 1 && !isVector ? [rd(word), rt2(word)] : [];
      return writing(...writesBack, ...loaded);
    }
    case 0b11:
      return oneRegister(word, isVector);
    default:
      return anything;
  }
}

function exclusiveOrOrdered(word: number): Operands {
  const [isOrdered, isLoad, isOther] = [field(word, 23, 1) === 1, field(word, 22, 1) === 1, field(word, 21, 1) === 1];
  // CAS compares with, and loads into, its first register. Not: pairs.
  if (isOther) return isOrdered ? writing(rm(word)) : anything;
  if (isLoad) return writing(rd(word));
  // A store tells in a register whether it was done, an ordered one just stores.
  return isOrdered ? nothing : writing(rm(word));
}

function oneRegister(word: number, isVector: boolean): Operands {
  const isStore = field(word, 22, 2) === 0;
  const loaded = isStore || isVector ? [] : [rd(word)];
  if (field(word, 24, 1) === 1) return writing(...loaded);
  const form = field(word, 10, 2);
  if (field(word, 21, 1) === 0)
    return form === 0b01 || form === 0b11 ? writing(...loaded, rn(word)) : writing(...loaded);
  if (form === 0b10) return writing(...loaded);
  // Atomic operations give what was there before.
  return form === 0b00 ? writing(rd(word)) : anything;
}

function ofRegisters(word: number): Operands {
  // CCMP and CCMN have flags where others have a register.
  if (matches(word, 0x3fe0_0000, 0x3a40_0000)) return nothing;
  const register = rd(word);
  // ORR of zero and zero: MOVD ZR, R.
  if (matches(word, 0x7fe0_ffe0, 0x2a00_03e0) && rm(word) === 31 && register !== 31) return constant(register, 0);
  return writing(register);
}

/** Only conversions and moves out of vector registers write others. */
function floatingPoint(word: number): Operands {
  const toInteger = (word & 0x5f20_0000) === 0x1e20_0000 && field(word, 10, 6) === 0;
  if (toInteger) return [2, 3, 7].includes(field(word, 16, 3)) ? nothing : writing(rd(word));
  const fixedPoint = (word & 0x5f20_0000) === 0x1e00_0000;
  if (fixedPoint) return writing(rd(word));
  // SMOV, UMOV.
  return matches(word, 0xbfe0_ec00, 0x0e00_2c00) ? writing(rd(word)) : nothing;
}
