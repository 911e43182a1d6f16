import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ElfFile } from './elf/elf.ts';
import { findGcGlobals } from './globals.ts';
import { globalPassedTo } from './go/receivers.ts';
import { bytesReader } from './reader.ts';
import { ReadBudget, Window } from './window.ts';
import { x86Calls } from './x86/calls.ts';

const textAt = 0x401000;
const elfOf = (size: number): ElfFile => ({
  arch: 'amd64',
  pie: false,
  sections: [],
  segments: [{ executable: true, address: textAt, offset: 0, fileSize: size }],
});

/** Code in which a method at the end is called with the given addresses loaded before. */
function codeWith(loaded: readonly number[], between: number): { code: Uint8Array; method: number } {
  const code = new Uint8Array(loaded.length * 64 + 16).fill(0x90);
  const view = new DataView(code.buffer);
  const method = loaded.length * 64;
  loaded.forEach((address, index) => {
    const at = index * 64;
    code.set([0x48, 0x8d, 0x05], at);
    view.setInt32(at + 3, address - (textAt + at + 7), true);
    const call = at + 7 + between;
    code[call] = 0xe8;
    view.setInt32(call + 1, method - (call + 5), true);
  });
  return { code, method };
}

const voteOf = (code: Uint8Array, method: number) =>
  globalPassedTo(
    x86Calls,
    elfOf(code.length),
    new Window(bytesReader(code), new ReadBudget(1 << 20)),
    [{ address: textAt + method, end: textAt + method + 16 }],
    'receiver',
  );

describe('the global that methods are called on', () => {
  it('is what the calls load', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0x500000, max: 0x900000 }),
        fc.integer({ min: 1, max: 30 }),
        fc.nat(33),
        (address, sites, between) => {
          const { code, method } = codeWith(new Array<number>(sites).fill(address), between);
          expect(voteOf(code, method)).toEqual({ address, sites, otherSites: 0 });
        },
      ),
    );
  });

  it('is in doubt where calls load another', () => {
    const { code, method } = codeWith([0x555000, 0x555000, 0x555070], 4);
    expect(voteOf(code, method)).toEqual({ address: 0x555000, sites: 2, otherSites: 1 });
  });

  it('is unknown without calls, or where the load is too far off', () => {
    expect(voteOf(new Uint8Array(64).fill(0x90), 16)).toBeUndefined();
    const { code, method } = codeWith([0x555000], 40);
    expect(voteOf(code, method)).toBeUndefined();
  });
});

it('refuses whatever is no Go program, and throws nothing', () => {
  expect(findGcGlobals(bytesReader(new TextEncoder().encode('#!/bin/sh\n')))).toMatchObject({
    kind: 'refused',
    reason: 'not-elf',
  });
  const header = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1];
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 4_000 }), (rest) => {
      const found = findGcGlobals(bytesReader(Uint8Array.from([...header, ...rest])));
      expect(found.kind).toBe('refused');
    }),
  );
});
