import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { generateKeyPair, privateKeyFromPem } from './keys.ts';
import { readBundle } from './read.ts';
import { seal } from './seal.ts';
import { entries, file, gzip, inPieces, manifestInput, tarOf, temporaryFolder } from './test-support.ts';
import type { BundleEntry } from './types.ts';
import { verifyBundle } from './verify.ts';
import { writeBundle } from './write.ts';

const { privatePem, publicPem } = generateKeyPair();
const sign = { privateKey: privateKeyFromPem(privatePem) };
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const sealing = { previous: null, sign, at: '2026-03-01T10:01:00.000Z', by: 'operator-0' } as const;
const analysis: BundleEntry = {
  path: 'analysis.json',
  content: Buffer.from('{"cause":"gogc-too-low"}'),
  source: 'operator',
};

describe('writeBundle', () => {
  it('gives the same bytes for the same content, whatever the order, the time, and the source of the bytes', async () => {
    using folder = temporaryFolder();
    const at = (name: string) => join(folder.path, name);
    const first = await writeBundle(entries, manifestInput, { file: at('a') });
    writeFileSync(at('signals'), entries[0]?.content instanceof Uint8Array ? entries[0].content : '');
    const asFile = entries.map((entry) =>
      entry.path === 'signals.ndjson' ? { ...entry, content: { file: at('signals') } } : entry,
    );
    const second = await writeBundle(asFile.toReversed(), structuredClone(manifestInput), { file: at('b') });
    expect(readFileSync(at('a')).equals(readFileSync(at('b')))).toBe(true);
    expect(second.sha256).toBe(first.sha256);
  });

  it('is what tar and sha256sum say it is', async () => {
    using folder = temporaryFolder();
    const bundle = await writeBundle(entries, manifestInput, { file: join(folder.path, 'x.tar.gz') });
    const listing = execFileSync('tar', ['--utc', '--numeric-owner', '-tzvf', bundle.file], { encoding: 'utf8' });
    const manifestBytes = bundle.sizeBytes > 0 ? (await readTar(bundle.file)).get('manifest.json')?.length : 0;
    expect(
      listing
        .trimEnd()
        .split('\n')
        .map((line) => line.replace(/ +/g, ' ')),
    ).toEqual([
      `-rw-r--r-- 0/0 ${manifestBytes} 1970-01-01 00:00 manifest.json`,
      '-rw-r--r-- 0/0 5 1970-01-01 00:00 profiles/cpu.pprof',
      '-rw-r--r-- 0/0 0 1970-01-01 00:00 profiles/empty.txt',
      '-rw-r--r-- 0/0 72 1970-01-01 00:00 signals.ndjson',
      '-rw-r--r-- 0/0 512 1970-01-01 00:00 snapshots/cgroup.json',
    ]);
    expect(execFileSync('sha256sum', [bundle.file], { encoding: 'utf8' }).slice(0, 64)).toBe(bundle.sha256);
    expect(statSync(bundle.file)).toMatchObject({ size: bundle.sizeBytes });
    expect(statSync(bundle.file).mode & 0o777).toBe(0o600);
  });

  it('lists every file with digest, size, source and window', async () => {
    using folder = temporaryFolder();
    const { manifest } = await writeBundle(entries, manifestInput, { file: join(folder.path, 'x') });
    expect(manifest).toMatchObject({ ...manifestInput, formatVersion: 1, previous: null, seal: null });
    expect(manifest.files.map((listed) => listed.path)).toEqual([
      'profiles/cpu.pprof',
      'profiles/empty.txt',
      'signals.ndjson',
      'snapshots/cgroup.json',
    ]);
    expect(manifest.files[2]).toEqual({
      path: 'signals.ndjson',
      sha256: sha256(entries[0]?.content instanceof Uint8Array ? entries[0].content : Buffer.alloc(0)),
      sizeBytes: 72,
      source: 'windows of the agent',
      windowStart: '2026-03-01T09:50:00.000Z',
      windowEnd: '2026-03-01T10:00:00.000Z',
    });
  });

  it.each<[string, readonly BundleEntry[], string]>([
    ['a path that climbs out', [{ path: '../x', content: Buffer.from(''), source: '' }], 'unsafe-path'],
    ['its own manifest', [{ path: 'manifest.json', content: Buffer.from(''), source: '' }], 'unsafe-path'],
    ['its own attestation', [{ path: 'attestation.dsse.json', content: Buffer.from(''), source: '' }], 'unsafe-path'],
    ['a path twice', [analysis, analysis], 'duplicate'],
    ['a window that is no time', [{ ...analysis, windowStart: 'yesterday' }], 'manifest-invalid'],
  ])('refuses %s and leaves nothing behind', async (_what, bad, code) => {
    using folder = temporaryFolder();
    const target = join(folder.path, 'x');
    await expect(writeBundle(bad, manifestInput, { file: target })).rejects.toThrow(expect.objectContaining({ code }));
    expect(execFileSync('ls', ['-A', folder.path], { encoding: 'utf8' })).toBe('');
  });

  it('stops when told to, leaving nothing behind', async () => {
    using folder = temporaryFolder();
    const stopping = new AbortController();
    const slow: BundleEntry = { path: 'big', content: Buffer.alloc(32 * 1024 * 1024, 'x'), source: '' };
    const writing = writeBundle([slow], manifestInput, { file: join(folder.path, 'x'), signal: stopping.signal });
    setTimeout(() => stopping.abort(), 5);
    await expect(writing).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
    expect(execFileSync('ls', ['-A', folder.path], { encoding: 'utf8' })).toBe('');
  });
});

describe('readBundle', () => {
  it('returns what was written', async () => {
    using folder = temporaryFolder();
    const written = await writeBundle(entries, manifestInput, { file: join(folder.path, 'x') });
    const bundle = await readBundle(written.file);
    expect(bundle).toMatchObject({ sha256: written.sha256, sizeBytes: written.sizeBytes, manifest: written.manifest });
    expect(bundle.attestation).toBeUndefined();
    for (const { path, content } of entries) {
      expect([...(bundle.files.get(path) ?? [])]).toEqual(content instanceof Uint8Array ? [...content] : []);
    }
  });

  it('holds only what is asked for, and checks the rest all the same', async () => {
    using folder = temporaryFolder();
    const written = await writeBundle(entries, manifestInput, { file: join(folder.path, 'x') });
    const only = (path: string) => path === 'signals.ndjson';
    expect([...(await readBundle(written.file, {}, only)).files.keys()]).toEqual(['signals.ndjson']);
    const files = await readTar(written.file);
    files.set('profiles/cpu.pprof', Buffer.from('other'));
    const altered = gzip(tarOf([...files].map(([path, bytes]) => file(path, bytes))));
    await expect(readBundle(inPieces(altered, 500), {}, only)).rejects.toThrow(
      expect.objectContaining({ code: 'digest-mismatch' }),
    );
  });

  it('round-trips any content', async () => {
    using folder = temporaryFolder();
    const contents = fc.dictionary(
      fc.stringMatching(/^[a-z]{1,8}(\/[a-z0-9.]{0,4}[a-z])?$/),
      fc.uint8Array({ maxLength: 5000 }),
      { maxKeys: 8 },
    );
    await fc.assert(
      fc.asyncProperty(contents, async (files) => {
        const given = Object.entries(files).filter(([path]) => !path.includes('/.'));
        const list = given.map(([path, content]) => ({ path, content, source: 'here' }));
        const written = await writeBundle(list, manifestInput, { file: join(folder.path, 'x') });
        const bundle = await readBundle(written.file);
        expect(Object.fromEntries([...bundle.files].map(([path, bytes]) => [path, [...bytes]]))).toEqual(
          Object.fromEntries(given.map(([path, bytes]) => [path, [...bytes]])),
        );
      }),
      { numRuns: 50 },
    );
  });

  it.each<[string, ReturnType<typeof file>[], string]>([
    ['without a manifest', [file('a')], 'manifest-missing'],
    ['whose manifest is no JSON', [file('manifest.json', Buffer.from('{'))], 'manifest-invalid'],
    ['of a later format', [file('manifest.json', Buffer.from('{"formatVersion":2}'))], 'manifest-invalid'],
  ])('refuses a bundle %s', async (_what, files, code) => {
    await expect(readBundle(inPieces(gzip(tarOf(files)), 1000))).rejects.toThrow(expect.objectContaining({ code }));
  });
});

describe('seal', () => {
  it('adds, chains and signs, keeping every captured byte', async () => {
    using folder = temporaryFolder();
    const captured = await writeBundle(entries, manifestInput, { file: join(folder.path, 'captured') });
    const previous = 'a'.repeat(64);
    const pod: BundleEntry = {
      path: 'pod.yaml',
      content: Buffer.from('kind: Pod\n'),
      source: 'v1 Pod robots/dispatch-0',
    };
    const sealed = await seal(captured.file, {
      ...sealing,
      previous,
      add: [pod, analysis],
      file: join(folder.path, 'sealed'),
    });
    expect(sealed.manifest).toMatchObject({
      previous,
      seal: { at: sealing.at, by: sealing.by, capturedSha256: captured.sha256 },
    });

    const bundle = await readBundle(sealed.file);
    expect([...bundle.files.keys()]).toEqual([
      'analysis.json',
      'pod.yaml',
      'profiles/cpu.pprof',
      'profiles/empty.txt',
      'signals.ndjson',
      'snapshots/cgroup.json',
    ]);
    const before = await readBundle(captured.file);
    for (const [path, bytes] of before.files) expect(bundle.files.get(path)).toEqual(bytes);
    for (const listed of captured.manifest.files) expect(sealed.manifest.files).toContainEqual(listed);
    expect(await verifyBundle(sealed.file, { publicKey: publicPem })).toMatchObject({
      ok: true,
      problems: [],
      signature: 'valid',
      sha256: sealed.sha256,
    });
  });

  it('is refused twice, over captured files, and over a damaged bundle', async () => {
    using folder = temporaryFolder();
    const to = join(folder.path, 'out');
    const captured = await writeBundle(entries, manifestInput, { file: join(folder.path, 'captured') });
    const replacing = [{ ...analysis, path: 'signals.ndjson' }];
    await expect(seal(captured.file, { ...sealing, add: replacing, file: to })).rejects.toThrow(
      expect.objectContaining({ code: 'duplicate', message: expect.stringContaining('evidence is never replaced') }),
    );
    const sealed = await seal(captured.file, { ...sealing, add: [], file: join(folder.path, 'sealed') });
    await expect(seal(sealed.file, { ...sealing, add: [], file: to })).rejects.toThrow(
      expect.objectContaining({ code: 'already-sealed' }),
    );
    writeFileSync(captured.file, readFileSync(captured.file).subarray(0, -10));
    await expect(seal(captured.file, { ...sealing, add: [], file: to })).rejects.toThrow(
      expect.objectContaining({ code: 'truncated' }),
    );
  });
});

describe('verifyBundle', () => {
  it('says what was done to a bundle', async () => {
    using folder = temporaryFolder();
    const captured = await writeBundle(entries, manifestInput, { file: join(folder.path, 'captured') });
    const sealed = await seal(captured.file, { ...sealing, add: [analysis], file: join(folder.path, 'sealed') });
    const files = await readTar(sealed.file);
    const rebuilt = (change: (files: Map<string, Buffer>) => void): AsyncIterable<Uint8Array> => {
      const copy = new Map(files);
      change(copy);
      return inPieces(
        gzip(tarOf([...copy].sort(([x], [y]) => (x < y ? -1 : 1)).map(([path, bytes]) => file(path, bytes)))),
        9999,
      );
    };
    const codes = async (change: (files: Map<string, Buffer>) => void, publicKey: string | undefined = publicPem) =>
      (await verifyBundle(rebuilt(change), publicKey === undefined ? {} : { publicKey })).problems.map(
        ({ code, path }) => `${code} ${path ?? ''}`.trim(),
      );

    expect(await codes(() => undefined)).toEqual([]);
    expect(await codes((copy) => copy.set('analysis.json', Buffer.from('{}')))).toEqual([
      'digest-mismatch analysis.json',
      'digest-mismatch analysis.json',
    ]);
    expect(await codes((copy) => copy.delete('signals.ndjson'))).toEqual([
      'file-missing signals.ndjson',
      'file-missing signals.ndjson',
    ]);
    expect(await codes((copy) => copy.set('note.txt', Buffer.from('x')))).toEqual([
      'file-unlisted note.txt',
      'file-unlisted note.txt',
    ]);
    expect(await codes((copy) => copy.delete('attestation.dsse.json'))).toEqual(['unsigned']);
    expect(await codes((copy) => copy.set('attestation.dsse.json', Buffer.from('{}')))).toEqual([
      'attestation-invalid attestation.dsse.json',
    ]);
    expect(await codes((copy) => copy.delete('manifest.json'))).toEqual([
      'manifest-missing manifest.json',
      'file-missing manifest.json',
    ]);
    // Manifest and file changed to fit each other: only the signature tells.
    const forged = (copy: Map<string, Buffer>) => {
      const text = files.get('manifest.json')?.toString() ?? '';
      copy.set('analysis.json', Buffer.from('{}'));
      copy.set(
        'manifest.json',
        Buffer.from(
          text
            .replace(sha256(Buffer.from('{"cause":"gogc-too-low"}')), sha256(Buffer.from('{}')))
            .replace('"sizeBytes": 24', '"sizeBytes": 2'),
        ),
      );
    };
    expect(await codes(forged)).toEqual(['digest-mismatch analysis.json', 'digest-mismatch manifest.json']);
    expect(
      await codes((copy) => {
        forged(copy);
        copy.delete('attestation.dsse.json');
      }),
    ).toEqual(['unsigned']);
  });

  it('tells the right key from a wrong one, and none from both', async () => {
    using folder = temporaryFolder();
    const signed = await writeBundle(entries, manifestInput, { file: join(folder.path, 'x'), sign });
    expect(await verifyBundle(signed.file)).toMatchObject({ ok: true, signature: 'unchecked' });
    expect(await verifyBundle(signed.file, { publicKey: publicPem })).toMatchObject({ ok: true, signature: 'valid' });
    const wrong = await verifyBundle(signed.file, { publicKey: generateKeyPair().publicPem });
    expect(wrong).toMatchObject({ ok: false, signature: 'invalid', problems: [{ code: 'signature-invalid' }] });
    await expect(verifyBundle(signed.file, { publicKey: 'nonsense' })).rejects.toThrow(
      expect.objectContaining({ code: 'signature-invalid' }),
    );
  });

  it('lets no byte of a sealed bundle change what it says unseen', async () => {
    using folder = temporaryFolder();
    const sealed = await writeBundle(entries, manifestInput, { file: join(folder.path, 'x'), sign });
    const bytes = readFileSync(sealed.file);
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ flip;
        const seen = await verifyBundle(inPieces(changed, 700), { publicKey: publicPem });
        expect(seen.sha256).not.toBe(sealed.sha256);
        // Only bits that deflate itself ignores may differ.
        if (seen.ok) expect(seen.manifest).toEqual(sealed.manifest);
        else expect(seen.problems.length).toBeGreaterThan(0);
      }),
      { numRuns: 400 },
    );
  });
});

/** Reads with GNU tar, not with our reader. */
async function readTar(bundle: string): Promise<Map<string, Buffer>> {
  gunzipSync(readFileSync(bundle));
  const names = execFileSync('tar', ['-tzf', bundle], { encoding: 'utf8' }).trimEnd().split('\n');
  return new Map(names.map((name) => [name, execFileSync('tar', ['-xzOf', bundle, name], { maxBuffer: 1e8 })]));
}
