import fc from 'fast-check';
import { pack } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { checkPath } from './paths.ts';
import { file, patched } from './test-support.ts';
import { BundleError } from './types.ts';
import { decodeHeader, encodeHeader } from './ustar.ts';

const pathArbitrary = fc
  .array(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,15}$/), { minLength: 1, maxLength: 5 })
  .map((parts) => parts.join('/'));

/** What the tar library writes for the same entry. */
async function libraryHeader(path: string, content: Uint8Array): Promise<Buffer> {
  const tar = pack();
  tar.entry({ name: path, mode: 0o644, uid: 0, gid: 0, mtime: new Date(0), type: 'file' }, Buffer.from(content));
  tar.finalize();
  const parts: Uint8Array[] = [];
  for await (const chunk of tar) if (chunk instanceof Uint8Array) parts.push(chunk);
  return Buffer.concat(parts).subarray(0, 512);
}

describe('canonical tar header', () => {
  it('is byte for byte what tar-stream writes', async () => {
    await fc.assert(
      fc.asyncProperty(pathArbitrary, fc.uint8Array({ maxLength: 2000 }), async (path, content) => {
        const ours = encodeHeader({ path, sizeBytes: content.length });
        expect(ours.equals(await libraryHeader(path, content))).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  it('reads back what it wrote, up to the largest size', () => {
    fc.assert(
      fc.property(pathArbitrary, fc.integer({ min: 0, max: 8 ** 11 - 1 }), (path, sizeBytes) => {
        expect(decodeHeader(encodeHeader({ path, sizeBytes }))).toEqual({ path, sizeBytes });
      }),
    );
  });

  it('refuses every other byte: no bit of a header can change unseen', () => {
    const header = encodeHeader({ path: 'profiles/heap.pprof', sizeBytes: 1234 });
    fc.assert(
      fc.property(fc.nat(511), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = Buffer.from(header);
        changed[at] = (changed[at] ?? 0) ^ flip;
        expect(() => decodeHeader(changed)).toThrow(BundleError);
      }),
      { numRuns: 2000 },
    );
  });

  const { header } = file('a');
  it.each([
    ['a hard link', patched(header, 156, '1'), 'unsafe-entry'],
    ['a symbolic link', patched(header, 156, '2'), 'unsafe-entry'],
    ['a directory', patched(header, 156, '5'), 'unsafe-entry'],
    ['a device', patched(header, 156, '3'), 'unsafe-entry'],
    ['a pax extension', patched(header, 156, 'x'), 'unsafe-entry'],
    ['a GNU long name', patched(header, 156, 'L'), 'unsafe-entry'],
    ['the old tar format', patched(header, 156, '\0'), 'unsafe-entry'],
    ['a parent folder', patched(header, 0, '../etc/passwd'), 'unsafe-path'],
    ['a path from the root', patched(header, 0, '/etc/passwd'), 'unsafe-path'],
    ['a folder prefix', patched(header, 345, '..'), 'not-canonical'],
    ['an owner', patched(header, 265, 'root'), 'not-canonical'],
    ['another mode', patched(header, 100, '004755 \0'), 'not-canonical'],
    ['a base-256 size', patched(header, 124, Buffer.from([0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9])), 'not-canonical'],
    ['a negative size', patched(header, 124, '-0000000001 '), 'not-canonical'],
    ['no tar at all', Buffer.alloc(512, 0x41), 'not-a-bundle'],
  ])('refuses %s', (_what, block, code) => {
    expect(() => decodeHeader(block)).toThrow(expect.objectContaining({ code }));
  });
});

describe('checkPath', () => {
  it.each(['a', 'profiles/cpu.pprof', '_x', 'a-b/c_d.e', 'x'.repeat(100)])('accepts %s', (path) => {
    expect(checkPath(path)).toBe(path);
  });
  it.each([
    '',
    '/',
    '/a',
    'a/',
    'a//b',
    '.',
    '..',
    'a/../b',
    './a',
    '.hidden',
    '-rf',
    'a\\b',
    'a b',
    'a\n',
    'ä',
    'a\0b',
    'x'.repeat(101),
    'C:a',
  ])('refuses %j', (path) => {
    expect(() => checkPath(path)).toThrow(expect.objectContaining({ code: 'unsafe-path' }));
  });
});
