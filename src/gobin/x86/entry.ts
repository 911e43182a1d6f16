import { type FunctionBody, type FunctionCode, hex } from '../code/function-body.ts';
import { refuse } from '../refusal.ts';
import { decode } from './decode.ts';

const pushBp = 0x55;

/**
 * Index of the instruction to probe at a function's entry: the `PUSHQ BP` after the stack check (or at once, in functions without).
 *
 * Why there: the check jumps back to the entry after the stack has grown, so that a probe on the very first byte fires twice, and the
 * kernel emulates a PUSH instead of single-stepping it. AX, BX, CX, DI (the arguments) are untouched by the four forms of the check
 * (cmd/internal/obj/x86/obj6.go, stacksplit):
 *
 *     CMPQ SP, 16(R14); JBE                                            frames up to 128 bytes
 *     LEAQ -n(SP), R12; CMPQ R12, 16(R14); JBE                         up to 4 KiB
 *     MOVQ SP, R12; SUBQ $n, R12; JCS; CMPQ R12, 16(R14); JBE          beyond
 *     none                                                             NOSPLIT
 */
export function entryProbe(fn: FunctionCode, body: FunctionBody): number {
  const at = afterStackCheck(fn.code);
  if (at === undefined || fn.code[at] !== pushBp) {
    refuse(
      'unexpected-code',
      `${fn.symbol} begins ${hex(fn.code.subarray(0, 16))}: not a prologue of the Go compiler that is known`,
    );
  }
  if (at > 0 && body.targets.has(at)) refuse('unexpected-code', `${fn.symbol} loops back to its prologue`);
  return at;
}

const compareStackPointer = [0x49, 0x3b, 0x66, 0x10];
const compareR12 = [0x4d, 0x3b, 0x66, 0x10];
/** LEAQ disp8(SP), R12 and LEAQ disp32(SP), R12, up to the displacement. */
const leaR12Disp8 = [0x4c, 0x8d, 0x64, 0x24];
const leaR12Disp32 = [0x4c, 0x8d, 0xa4, 0x24];

/** MOVQ SP, R12; SUBQ $imm32, R12, up to the immediate; 10 bytes in all. */
const subtractFromSp = [0x49, 0x89, 0xe4, 0x49, 0x81, 0xec];

function afterStackCheck(code: Uint8Array): number | undefined {
  if (code[0] === pushBp) return 0;
  if (startsWith(code, 0, compareStackPointer)) return afterJumpBelowOrEqual(code, 4);
  const compareAt = compareAfterSubtraction(code);
  if (compareAt === undefined || !startsWith(code, compareAt, compareR12)) return undefined;
  return afterJumpBelowOrEqual(code, compareAt + 4);
}

/** Where R12, the stack pointer as the frame would leave it, is compared. */
function compareAfterSubtraction(code: Uint8Array): number | undefined {
  if (startsWith(code, 0, leaR12Disp8)) return 5;
  if (startsWith(code, 0, leaR12Disp32)) return 8;
  return startsWith(code, 0, subtractFromSp) ? afterJump(code, 10, jumpBelow) : undefined;
}

/** The short form; the long one is 0F and 16 more. */
const jumpBelow = 0x72;
const jumpBelowOrEqual = 0x76;

function afterJumpBelowOrEqual(code: Uint8Array, at: number): number | undefined {
  return afterJump(code, at, jumpBelowOrEqual);
}

function afterJump(code: Uint8Array, at: number, opcode: number): number | undefined {
  const isJump = code[at] === opcode || (code[at] === 0x0f && code[at + 1] === opcode + 0x10);
  const jump = isJump ? decode(code, at) : undefined;
  return jump === undefined ? undefined : at + jump.length;
}

function startsWith(code: Uint8Array, at: number, bytes: readonly number[]): boolean {
  return bytes.every((byte, i) => code[at + i] === byte);
}
