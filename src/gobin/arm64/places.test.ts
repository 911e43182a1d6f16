/** Where a probe may stand in arm64 code. */
import { describe, expect, it } from 'vitest';
import { type FunctionCode, walkFunction } from '../code/function-body.ts';
import { betweenExclusives } from './exclusive.ts';
import { a64 } from './instruction-set.ts';

const functionOf = (words: readonly number[]): FunctionCode => ({
  symbol: 'runtime.f',
  address: 0x1_0000,
  code: new Uint8Array(new Uint32Array(words).buffer),
});
const loadGuard = 0xf9400b90;
const compareRsp = 0xeb3063ff;
const subtract = 0xd10043f1;
const subtractWithFlags = 0xf14043f1;
const compareR17 = 0xeb10023f;
const lower = 0x54000043;
const lowerOrSame = 0x54000049;
const storeLink = 0xf8170ffe;
const reserve = 0xd11043f4;
const ret = 0xd65f03c0;

describe('the entry', () => {
  it.each<[string, number[], number]>([
    ['of a function without a stack check', [storeLink, ret], 0],
    ['of one with a small frame', [loadGuard, compareRsp, lowerOrSame, storeLink, ret], 12],
    ['of one with a larger frame', [loadGuard, subtract, compareR17, lowerOrSame, reserve, ret], 16],
    ['of one with a huge frame', [loadGuard, subtractWithFlags, lower, compareR17, lowerOrSame, reserve, ret], 20],
  ])('%s', (_name, words, at) => {
    const fn = functionOf(words);
    expect(a64.entry(fn, walkFunction(a64, fn))).toBe(at);
  });

  it.each<[string, number[], string]>([
    ['of another compiler', [0xa9bf7bfd, ret], 'fd7bbfa9'],
    ['whose check is another', [loadGuard, compareRsp, 0x54000040, storeLink, ret], 'not a prologue'],
    ['that is reached again', [loadGuard, compareRsp, lowerOrSame, storeLink, 0xb5ffffe0, ret], 'loops back'],
  ])('is refused: %s', (_name, words, message) => {
    const fn = functionOf(words);
    expect(() => a64.entry(fn, walkFunction(a64, fn))).toThrow(message);
  });
});

describe('between an exclusive load and its store', () => {
  it('no jump may carry a probe: the store would fail for ever', () => {
    // L: LDAXR (R5), R27; CMP R6, R27; BNE out; STLXR ZR, (R5), R27; CBNZ R27, L; out: CBZ R0; RET
    const fn = functionOf([0xc85ffcbb, 0xeb06037f, 0x54000061, 0xc81bfcbf, 0xb5ffff9b, 0xb4000020, ret]);
    const body = walkFunction(a64, fn);
    expect([...betweenExclusives(fn.code, body)]).toEqual([4, 8]);
    const carriers = [...body.instructions.keys()].filter((at) => a64.mayCarryProbe(fn, body, at));
    expect(carriers).toEqual([16, 20]);
  });

  it('atomic instructions do not open such a stretch', () => {
    // CASALD; CBNZ R7; LDAR; CBZ R0; STLXR; RET
    const fn = functionOf([0xc8fbfcbf, 0xb5000027, 0xc8dffc63, 0xb4000020, 0xc81bfcbf, ret]);
    expect(betweenExclusives(fn.code, walkFunction(a64, fn)).size).toBe(0);
  });
});

it('code that is not understood, or cut off, is refused', () => {
  expect(() => walkFunction(a64, functionOf([0xb5000040, ret, 0xd65f0bff]))).toThrow('unknown instruction');
  const short = functionOf([storeLink, ret]);
  expect(() => walkFunction(a64, { ...short, code: short.code.subarray(0, 6) })).toThrow('unknown instruction');
});
