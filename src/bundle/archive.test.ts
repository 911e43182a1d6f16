import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scan } from './scan.ts';
import { file, gzip, inPieces, patched, tarOf } from './test-support.ts';
import { BundleError, type BundleLimits } from './types.ts';

const read = (bytes: Uint8Array, limits: Partial<BundleLimits> = {}, piece = 4096) =>
  scan(inPieces(bytes, piece), limits, () => true);

const a = file('a');
const b = file('b');
const good = gzip(tarOf([a, b]));
const { header } = a;

describe('archive reader', () => {
  it('reads files whatever the size of the pieces they come in', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 6 }),
        fc.integer({ min: 1, max: 5000 }),
        async (contents, piece) => {
          const files = contents.map((content, index) => file(`f${index}`, content));
          const { kept } = await read(gzip(tarOf(files)), {}, piece);
          expect([...kept.values()].map((bytes) => [...bytes])).toEqual(contents.map((content) => [...content]));
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each<[string, Uint8Array, string]>([
    ['nothing', Buffer.alloc(0), 'truncated'],
    ['text', Buffer.from('not a bundle at all'), 'not-a-bundle'],
    ['half a gzip header', good.subarray(0, 5), 'truncated'],
    ['gzip by another tool', gzipSync(tarOf([a])), 'not-canonical'],
    ['gzip of text', gzip(Buffer.alloc(600, 0x41)), 'not-a-bundle'],
    ['gzip of nothing', gzip(Buffer.alloc(0)), 'truncated'],
    ['a cut trailer', good.subarray(0, -3), 'truncated'],
    ['a cut body', good.subarray(0, good.length - 20), 'truncated'],
    ['a wrong checksum', Buffer.concat([good.subarray(0, -8), Buffer.alloc(8)]), 'corrupt'],
    ['bytes after the gzip data', Buffer.concat([good, Buffer.from('extra bytes')]), 'not-canonical'],
    ['a second gzip member', Buffer.concat([good, good]), 'not-canonical'],
    ['a tar without an end', gzip(tarOf([a], Buffer.alloc(0))), 'truncated'],
    ['a tar with half an end', gzip(tarOf([a], Buffer.alloc(512))), 'truncated'],
    ['a tar that goes on after its end', gzip(Buffer.concat([tarOf([a]), tarOf([b])])), 'not-canonical'],
    ['more zeros after the end', gzip(tarOf([a], Buffer.alloc(2048))), 'not-canonical'],
    ['bytes hidden in the padding', gzip(tarOf([{ header, content: Buffer.from('aX') }])), 'not-canonical'],
    [
      'a file larger than the archive',
      gzip(tarOf([{ header: patched(header, 124, '00000100000 '), content: Buffer.from('a') }])),
      'truncated',
    ],
    ['a name twice', gzip(tarOf([a, a])), 'duplicate'],
    ['names out of order', gzip(tarOf([b, a])), 'not-canonical'],
    [
      'a symbolic link',
      gzip(tarOf([{ header: patched(header, 156, '2'), content: Buffer.from('a') }])),
      'unsafe-entry',
    ],
    [
      'a path that climbs out',
      gzip(tarOf([{ header: patched(header, 0, 'x/../../etc'), content: Buffer.from('a') }])),
      'unsafe-path',
    ],
  ])('refuses %s', async (_what, bytes, code) => {
    for (const piece of [1, 7, 4096]) {
      await expect(read(bytes, {}, piece)).rejects.toThrow(expect.objectContaining({ name: 'BundleError', code }));
    }
  });

  it.each<[string, Partial<BundleLimits>]>([
    ['the archive', { maxArchiveBytes: good.length - 1 }],
    ['one file', { maxFileBytes: 0 }],
    ['all files', { maxTotalBytes: 1 }],
    ['the number of files', { maxFiles: 1 }],
  ])('keeps the limit on %s', async (_what, limits) => {
    await expect(read(good, limits)).rejects.toThrow(expect.objectContaining({ code: 'too-big' }));
    await expect(
      read(good, { maxArchiveBytes: good.length, maxFileBytes: 1, maxTotalBytes: 2, maxFiles: 2 }),
    ).resolves.toBeDefined();
  });

  it('stops a gzip bomb at its header, before unpacking it', async () => {
    const bomb = gzip(tarOf([file('bomb', Buffer.alloc(200 * 1024 * 1024))]));
    expect(bomb.length).toBeLessThan(1024 * 1024);
    const before = process.memoryUsage().rss;
    await expect(read(bomb)).rejects.toThrow(expect.objectContaining({ code: 'too-big' }));
    expect(process.memoryUsage().rss - before).toBeLessThan(128 * 1024 * 1024);
  });

  it('passes on what the source fails with, as unreadable', async () => {
    const failing = async function* () {
      yield good.subarray(0, 20);
      throw new Error('disk on fire');
    };
    await expect(scan(failing())).rejects.toThrow(
      expect.objectContaining({ code: 'unreadable', message: expect.stringContaining('disk on fire') }),
    );
    await expect(scan('/nonexistent/bundle.tar.gz')).rejects.toThrow(expect.objectContaining({ code: 'unreadable' }));
  });

  it('lets go of an endless source once it has seen enough', async () => {
    let closed = false;
    const endless = async function* () {
      try {
        for (;;) yield randomBytes(65_536);
      } finally {
        closed = true;
      }
    };
    await expect(scan(endless())).rejects.toThrow(expect.objectContaining({ code: 'not-a-bundle' }));
    expect(closed).toBe(true);
  });

  it('answers any damage with a BundleError and never with a different file list', async () => {
    const random = gzip(tarOf([file('noise', randomBytes(3000)), file('text', Buffer.from('abc'.repeat(500)))]));
    const whole = await read(random);
    await fc.assert(
      fc.asyncProperty(fc.nat(random.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const damaged = Buffer.from(random);
        damaged[at] = (damaged[at] ?? 0) ^ flip;
        const outcome = await read(damaged).then(
          ({ files }) => files,
          (error: unknown) => error,
        );
        if (outcome instanceof BundleError) return;
        expect(outcome).toEqual(whole.files);
      }),
      { numRuns: 500 },
    );
  });
});
