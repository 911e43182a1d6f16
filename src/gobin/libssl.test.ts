import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planLibssl } from './libssl.ts';
import { bytesReader } from './reader.ts';
import { buildElf, loadAddress } from './testing/build-elf.ts';
import { hostileFile } from './testing/hostile-arbitraries.ts';

const encoder = new TextEncoder();
const strings = encoder.encode('\0SSL_do_handshake\0SSL_free\0OPENSSL_3.0.9\0OPENSSL_3.0.10\0OPENSSL_3.0.0\0');
const code = Uint8Array.from([
  0xf3, 0x0f, 0x1e, 0xfa, 0x55, 0x53, 0x48, 0x89, 0xf3, 0x0f, 0x1e, 0xfa, 0x41, 0x54, 0x55, 0x53,
]);

/** A shared object whose exported functions stand at this place in its code, the second eight bytes after the first; the code is the first section. */
function library(options: { machine?: number; address?: number; exported?: Uint8Array } = {}): Uint8Array {
  const symbols = new Uint8Array(72);
  const view = new DataView(symbols.buffer);
  view.setUint32(24, 1, true);
  view.setBigUint64(32, BigInt(options.address ?? loadAddress + 128), true);
  view.setBigUint64(40, 8n, true);
  view.setUint32(48, 18, true);
  view.setBigUint64(56, BigInt(loadAddress + 136), true);
  view.setBigUint64(64, 8n, true);
  return buildElf({
    type: 3,
    ...(options.machine === undefined ? {} : { machine: options.machine }),
    sections: [
      { name: '.text', data: code },
      { name: '.dynstr', type: 3, data: options.exported ?? strings },
      { name: '.dynsym', type: 11, link: 2, data: symbols },
    ],
  });
}
const plan = (bytes: Uint8Array) => planLibssl(bytesReader(bytes));

describe('libssl', () => {
  it('is entered where its symbol says', () => {
    expect(plan(library())).toEqual({
      kind: 'ok',
      offset: 128,
      bytes: 'f30f1efa55534889',
      symbol: 'SSL_do_handshake',
      address: loadAddress + 128,
      release: { offset: 136, bytes: 'f30f1efa41545553' },
      abiVersion: 'OPENSSL_3.0.10',
    });
  });

  it.each([
    ['that only imports it', library({ address: 0 }), 'function-not-found'],
    ['without it', library({ exported: encoder.encode('\0SSL_read\0') }), 'function-not-found'],
    [
      'that frees nothing',
      library({ exported: encoder.encode('\0SSL_do_handshake\0SSL_fret\0') }),
      'function-not-found',
    ],
    ['where it is outside', library({ address: 1 }), 'malformed'],
    ['for RISC-V', library({ machine: 243 }), 'unsupported-arch'],
    ['that is none', encoder.encode('#!/bin/sh'), 'not-elf'],
  ])('refuses a library %s', (_name, bytes, reason) => {
    expect(plan(bytes)).toMatchObject({ kind: 'refused', reason });
  });

  it('hostile files are refused', () => {
    fc.assert(
      fc.property(hostileFile, (bytes) => {
        expect(plan(bytes).kind).toBe('refused');
      }),
      { numRuns: 2000 },
    );
  });

  it('a changed library gives a refusal or a place that is there', () => {
    const bytes = library();
    const change = fc.tuple(fc.nat(bytes.length - 1), fc.nat(255));
    fc.assert(
      fc.property(
        fc.array(change, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 0, max: bytes.length }),
        (changes, size) => {
          const changed = bytes.slice();
          for (const [at, value] of changes) changed[at] = value;
          const found = plan(changes.length % 2 === 0 ? changed.subarray(0, size) : changed);
          if (found.kind === 'ok') expect(found.offset).toBeLessThan(changed.length);
        },
      ),
      { numRuns: 5000 },
    );
  });
});
