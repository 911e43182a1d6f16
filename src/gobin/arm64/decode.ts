import type { Flow, Instruction } from '../code/instruction.ts';
import { field, matches, signedField, wordAt, wordBytes } from './word.ts';

const next: Flow = { kind: 'next' };

/**
 * Flow of the A64 instruction at `code[at]`, or undefined when it is not one this table knows.
 * Encodings: Arm Architecture Reference Manual (DDI 0487), section C4.1. Only the class "branches, exception generating and system
 * instructions" can go elsewhere than to the next instruction. Where an encoding of another class is not allocated it traps: that it is
 * taken to go on adds paths and loses none.
 */
export function decode(code: Uint8Array, at: number): Instruction | undefined {
  const word = wordAt(code, at);
  const flow = word === undefined ? undefined : flowOf(word, at);
  return flow === undefined ? undefined : { length: wordBytes, flow };
}

function flowOf(word: number, at: number): Flow | undefined {
  const group = field(word, 25, 4);
  // UDF: Go's linker fills up with it behind a function.
  if (group === 0b0000) return matches(word, 0xffff_0000, 0) ? { kind: 'trap' } : undefined;
  if ((group & 0b1110) === 0b1010) return branchOrSystem(word, at);
  // A load from the code itself: what looks like an instruction may be a constant.
  if ((group & 0b0101) === 0b0100) return matches(word, 0x3b00_0000, 0x1800_0000) ? undefined : next;
  // Immediates; registers; SIMD and floating point. Not: SVE, SME, what is not allocated.
  return (group & 0b1110) === 0b1000 || (group & 0b0111) === 0b0101 || (group & 0b0111) === 0b0111 ? next : undefined;
}

function branchOrSystem(word: number, at: number): Flow | undefined {
  const to = (low: number, width: number): number => at + wordBytes * signedField(word, low, width);
  if (matches(word, 0xfc00_0000, 0x1400_0000)) return { kind: 'jump', target: to(0, 26) };
  if (matches(word, 0xfc00_0000, 0x9400_0000)) return { kind: 'call', target: to(0, 26) };
  // B.cond; CBZ, CBNZ; TBZ, TBNZ.
  if (matches(word, 0xff00_0010, 0x5400_0000)) return { kind: 'branch', target: to(5, 19) };
  if (matches(word, 0x7e00_0000, 0x3400_0000)) return { kind: 'branch', target: to(5, 19) };
  if (matches(word, 0x7e00_0000, 0x3600_0000)) return { kind: 'branch', target: to(5, 14) };
  if (matches(word, 0xffff_fc1f, 0xd61f_0000)) return { kind: 'indirectJump' };
  if (matches(word, 0xffff_fc1f, 0xd63f_0000)) return { kind: 'call', target: null };
  // Go returns by the link register, R30; through another one it might be anything.
  if (word === 0xd65f_03c0) return { kind: 'return' };
  if (matches(word, 0xffff_fc1f, 0xd65f_0000)) return { kind: 'foreign' };
  if (matches(word, 0xffe0_001f, 0xd400_0001)) return next; // SVC
  if (matches(word, 0xffe0_001f, 0xd420_0000)) return { kind: 'trap' }; // BRK
  // Hints, barriers, system registers.
  return matches(word, 0xffc0_0000, 0xd500_0000) ? next : undefined;
}
