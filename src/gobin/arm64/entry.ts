import { type FunctionBody, type FunctionCode, hex } from '../code/function-body.ts';
import { refuse } from '../refusal.ts';
import { matches, wordAt, wordBytes } from './word.ts';

/**
 * Index of the instruction to probe at a function's entry: the first one after the stack check (or at once, in functions without), which
 * stores the link register or reserves the frame. The check jumps back to the entry after the stack has grown, so that a probe on the very
 * first instruction fires twice. R0 to R15 (the arguments) are untouched by the forms of the check (cmd/internal/obj/arm64/obj7.go,
 * stacksplit):
 *
 *     MOVD 16(R28), R16; CMP R16, RSP; BLS                          frames up to 128 bytes
 *     MOVD 16(R28), R16; SUB $n, RSP, R17; CMP R16, R17; BLS        up to 4 KiB
 *     MOVD 16(R28), R16; SUBS $n, RSP, R17; BLO; CMP R16, R17; BLS  beyond
 *     none                                                          NOSPLIT
 */
export function entryProbe(fn: FunctionCode, body: FunctionBody): number {
  const at = afterStackCheck(fn.code);
  if (at === undefined || !beginsFrame(wordAt(fn.code, at))) {
    refuse(
      'unexpected-code',
      `${fn.symbol} begins ${hex(fn.code.subarray(0, 20))}: not a prologue of the Go compiler that is known`,
    );
  }
  if (at > 0 && body.targets.has(at)) refuse('unexpected-code', `${fn.symbol} loops back to its prologue`);
  return at;
}

/** MOVD.W R30, -n(RSP), in frames of up to 240 bytes; SUB $n, RSP, R20 in larger ones. */
function beginsFrame(word: number | undefined): boolean {
  return matches(word, 0xfff0_0fff, 0xf810_0ffe) || matches(word, 0xff80_03ff, 0xd100_03f4);
}

type Form = readonly [mask: number, bits: number];
const loadGuard: Form = [0xffff_ffff, 0xf940_0b90];
const compareRsp: Form = [0xffff_ffff, 0xeb30_63ff];
const compareR17: Form = [0xffff_ffff, 0xeb10_023f];
const subtract: Form = [0xff80_03ff, 0xd100_03f1];
const subtractWithFlags: Form = [0xff80_03ff, 0xf100_03f1];
const jumpIfLower: Form = [0xff00_001f, 0x5400_0003];
const jumpIfLowerOrSame: Form = [0xff00_001f, 0x5400_0009];

const checks: readonly (readonly Form[])[] = [
  [loadGuard, compareRsp, jumpIfLowerOrSame],
  [loadGuard, subtract, compareR17, jumpIfLowerOrSame],
  [loadGuard, subtractWithFlags, jumpIfLower, compareR17, jumpIfLowerOrSame],
];

function afterStackCheck(code: Uint8Array): number | undefined {
  if (beginsFrame(wordAt(code, 0))) return 0;
  const check = checks.find((forms) =>
    forms.every(([mask, bits], i) => matches(wordAt(code, i * wordBytes), mask, bits)),
  );
  return check === undefined ? undefined : check.length * wordBytes;
}
