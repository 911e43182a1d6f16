import type { FunctionBody } from '../code/function-body.ts';
import type { Register, ZeroTest } from '../code/instruction.ts';
import { operands } from './writes.ts';

/** `TEST r, r; JE|JNE`: only where the jump is right behind the TEST and nothing else jumps to it. */
export function zeroTest(code: Uint8Array, body: FunctionBody, at: number): ZeroTest | undefined {
  if (body.targets.has(at)) return undefined;
  const jumpsOnZero = conditionOf(code, at);
  const register = testedBefore(code, body, at);
  return jumpsOnZero === undefined || register === undefined ? undefined : { register, jumpsOnZero };
}

function conditionOf(code: Uint8Array, at: number): boolean | undefined {
  const first = code[at];
  const condition = first === 0x0f ? (code[at + 1] ?? 0) - 0x10 : first;
  return condition === 0x74 ? true : condition === 0x75 ? false : undefined;
}

const longestGap = 12;

/** The register that the instruction before tests, NOPs (which the assembler puts between) left out. */
function testedBefore(code: Uint8Array, body: FunctionBody, at: number): Register | undefined {
  for (let back = at - 1; back >= 0 && back >= at - longestGap; back--) {
    const instruction = body.instructions.get(back);
    if (instruction === undefined) continue;
    const { tests } = operands(code, back);
    if (tests !== undefined) return tests;
    const isNop = code[back] === 0x90 || (code[back] === 0x0f && code[back + 1] === 0x1f) || code[back] === 0x66;
    if (!isNop || body.targets.has(back) || operands(code, back).writes === 'any') return undefined;
  }
  return undefined;
}
