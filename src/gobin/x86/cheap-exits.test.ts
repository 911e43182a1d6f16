import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { walkFunction } from '../code/function-body.ts';
import { cheapExits } from './cheap-exits.ts';
import { decode } from './decode.ts';
import { isEmulatedJump } from './emulated.ts';
import { x86 } from './instruction-set.ts';

const address = 0x40_1000;

function exits(text: string, mayCallAtEnd: readonly number[] = []): readonly number[] {
  const code = Uint8Array.from(text.split(' ').map((byte) => Number.parseInt(byte, 16)));
  const fn = { symbol: 'runtime.f', address, code };
  return cheapExits(fn, walkFunction(x86, fn), { entry: 0, mayCallAtEnd: new Set(mayCallAtEnd) });
}

describe('cheap exits', () => {
  it.each([
    // PUSHQ BP; JE over the middle; …; POPQ BP; RET
    ['a short jump over a deferred closure', '55 74 02 ff d0 5d c3', [1]],
    ['a long conditional jump', '55 0f 85 02 00 00 00 ff d0 5d c3', [1]],
    ['a jump right before', '55 eb 00 5d c3', [1]],
    ['no jump at all', '55 5d c3', [2]],
    ['a call by name in between', '55 74 05 e8 00 00 00 00 5d c3', [9]],
    ['UD2 in between', '55 74 02 0f 0b 5d c3', [6]],
    ['JRCXZ, which the kernel does not emulate', '55 e3 02 ff d0 5d c3', [6]],
    ['after a NOP that nothing reaches', '55 74 03 eb 01 90 5d c3', [1]],
    // The POPQ BP is also where code leads that only the runtime jumps to.
    ['where the runtime may come in behind the jump', '55 74 02 ff d0 5d c3 48 89 c0 eb f9', [6]],
    // JMP at the very end whose target lies before.
    ['where the function runs over its end', '55 75 05 74 00 5d c3 90 90', [6]],
  ])('%s', (_name, text, expected) => {
    expect(exits(text)).toEqual(expected);
  });

  it('let only the named functions be called at the end', () => {
    const call = '55 74 05 e8 00 01 00 00 5d c3';
    expect(exits(call, [address + 8 + 0x100])).toEqual([1]);
    expect(exits(call, [address + 8 + 0x101])).toEqual([9]);
  });

  it('are the RETs of a function that is too long to be one of the runtime', () => {
    const nops = Array.from({ length: 4096 }, () => '90').join(' ');
    expect(exits(`${nops} 74 00 c3`)).toEqual([4098]);
    expect(exits(`${nops.slice(0, -9)} 74 00 c3`)).toEqual([4093]);
  });

  it('what is taken for an emulated jump is a relative jump, and no call', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 6, maxLength: 6 }), (code) => {
        fc.pre(isEmulatedJump(code, 0));
        expect(decode(code, 0)?.flow.kind).toMatch(/^(jump|branch)$/);
      }),
    );
  });
});
