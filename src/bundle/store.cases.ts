import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { verifyChain } from './chain.ts';
import type { BundleStore, StoredBundle } from './store.ts';

export interface StoreUnderTest {
  readonly store: BundleStore;
  /** The same storage as a new process finds it. */
  reopen(): BundleStore;
  setNow(ms: number): void;
  [Symbol.dispose](): void;
}

const digestOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const policy = 'robots/dispatch';
const key = (name: string) => `${policy}/${name}.tar.gz`;

async function put(store: BundleStore, name: string, content = Buffer.from(name)): Promise<StoredBundle> {
  const previous = await store.latest(name.includes('/') ? name.split('/').slice(0, 2).join('/') : policy);
  return await store.put(name.includes('/') ? name : key(name), content, { sha256: digestOf(content), previous });
}

/** What every store promises, however it keeps its bytes. */
export function storeCases(title: string, open: () => StoreUnderTest): void {
  const failure = (code: string) => expect.objectContaining({ name: 'StoreError', code });

  describe(title, () => {
    it('is empty at first', async () => {
      using test = open();
      expect(await test.store.list('')).toEqual([]);
      expect(await test.store.latest(policy)).toBeNull();
      expect(await test.store.chain(policy)).toEqual({ bundles: [], anchor: null, removed: [], head: null });
      await expect(test.store.get(key('a'))).rejects.toThrow(failure('not-found'));
      expect(await test.store.prune(policy, { count: 1 })).toEqual([]);
      await test.store.remove(key('a'));
    });

    it('gives back what was put, also in another process', async () => {
      using test = open();
      test.setNow(Date.parse('2026-03-01T10:00:00Z'));
      const content = Buffer.alloc(300_000, 'evidence');
      const sha256 = digestOf(content);
      const stored = await test.store.put(
        key('a'),
        Readable.from([content.subarray(0, 1000), content.subarray(1000)]),
        { sha256, previous: null },
      );
      expect(stored).toEqual({
        key: key('a'),
        sha256,
        sizeBytes: 300_000,
        previous: null,
        storedAt: '2026-03-01T10:00:00.000Z',
      });
      for (const store of [test.store, test.reopen()]) {
        expect(content.equals(await buffer(await store.get(key('a'))))).toBe(true);
        expect(await store.latest(policy)).toBe(sha256);
        expect(await store.list('')).toEqual([stored]);
      }
    });

    it('chains puts of one policy and keeps policies apart', async () => {
      using test = open();
      const a = await put(test.store, 'a');
      const b = await put(test.store, 'b');
      const other = await put(test.store, 'robots/billing/a.tar.gz');
      expect([a.previous, b.previous, other.previous]).toEqual([null, a.sha256, null]);
      expect((await test.store.list('')).map((bundle) => bundle.key)).toEqual([
        'robots/billing/a.tar.gz',
        key('a'),
        key('b'),
      ]);
      expect((await test.store.list('robots/dispatch/')).length).toBe(2);
      expect((await test.store.list(key('b'))).length).toBe(1);
      expect(await test.store.list('robots/dispatch/c')).toEqual([]);
    });

    it('takes the same put twice', async () => {
      using test = open();
      const first = await put(test.store, 'a');
      await put(test.store, 'b');
      expect(await test.store.put(key('a'), Readable.from([Buffer.from('a')]), first)).toEqual(first);
      expect((await test.store.list('')).length).toBe(2);
    });

    it('refuses bytes that are not what was announced, and keeps nothing of them', async () => {
      using test = open();
      await expect(
        test.store.put(key('a'), Buffer.from('b'), { sha256: digestOf(Buffer.from('a')), previous: null }),
      ).rejects.toThrow(failure('digest-mismatch'));
      expect(await test.store.list('')).toEqual([]);
      await expect(test.store.get(key('a'))).rejects.toThrow(failure('not-found'));
      await put(test.store, 'a');
    });

    it('keeps nothing of a put whose source fails', async () => {
      using test = open();
      const source = Readable.from(
        (async function* () {
          yield Buffer.from('a');
          throw new Error('cut off');
        })(),
      );
      await expect(
        test.store.put(key('a'), source, { sha256: digestOf(Buffer.from('a')), previous: null }),
      ).rejects.toThrow('cut off');
      expect(await test.store.list('')).toEqual([]);
      await put(test.store, 'a');
    });

    it('never replaces evidence and never forks a chain', async () => {
      using test = open();
      await put(test.store, 'a');
      await expect(put(test.store, 'a', Buffer.from('other'))).rejects.toThrow(failure('key-taken'));
      await expect(
        test.store.put(key('b'), Buffer.from('b'), { sha256: digestOf(Buffer.from('b')), previous: null }),
      ).rejects.toThrow(failure('chain-moved'));
      expect((await test.store.list('')).map((bundle) => bundle.key)).toEqual([key('a')]);
    });

    it('lets exactly one of several simultaneous successors in', async () => {
      using test = open();
      const contents = Array.from({ length: 8 }, (_, index) => Buffer.from(`content ${index}`));
      const results = await Promise.allSettled(
        contents.map((content, index) =>
          test.store.put(key(`n${index}`), content, { sha256: digestOf(content), previous: null }),
        ),
      );
      expect(results.filter((result) => result.status === 'fulfilled').length).toBe(1);
      expect((await test.store.list('')).length).toBe(1);
    });

    it('prunes the oldest, keeps the newest, and the chain stays verifiable', async () => {
      using test = open();
      for (const [index, name] of ['a', 'b', 'c', 'd', 'e'].entries()) {
        test.setNow(Date.parse('2026-03-01T00:00:00Z') + index * 3_600_000);
        await put(test.store, name);
      }
      expect(await test.store.prune(policy, { count: 4 })).toEqual([key('a')]);
      expect(await test.store.prune(policy, { ageMs: 2 * 3_600_000 })).toEqual([key('b')]);
      await test.store.remove(key('d'));
      for (const store of [test.store, test.reopen()]) {
        const { bundles, anchor, removed, head } = await store.chain(policy);
        expect(bundles.map((bundle) => bundle.key)).toEqual([key('c'), key('e')]);
        expect(anchor).toMatchObject({ sha256: digestOf(Buffer.from('b')), removedCount: 2 });
        expect(removed.map((bundle) => bundle.key)).toEqual([key('d')]);
        const links = bundles.map((bundle) => ({ ...bundle, name: bundle.key }));
        expect(verifyChain(links, { anchor: anchor?.sha256 ?? null, removed, head })).toMatchObject({ ok: true });
        expect(verifyChain(links.slice(1), { anchor: anchor?.sha256 ?? null, removed, head }).ok).toBe(false);
        await expect(store.get(key('a'))).rejects.toThrow(failure('not-found'));
      }
      const f = await put(test.store, 'f');
      expect(f.previous).toBe(digestOf(Buffer.from('e')));
    });

    it.each([
      '',
      'a',
      'a/b',
      'a/b/c',
      'a/b/c.tar.gz/d.tar.gz',
      '../b/c.tar.gz',
      'a/../c.tar.gz',
      'a/b/..tar.gz',
      'a/b/.chain.json',
      'A/b/c.tar.gz',
      '/a/b/c.tar.gz',
      'a/b/c\n.tar.gz',
      'a//c.tar.gz',
    ])('refuses the key %j', async (bad) => {
      using test = open();
      const content = Buffer.from('x');
      await expect(test.store.put(bad, content, { sha256: digestOf(content), previous: null })).rejects.toThrow(
        failure('key-invalid'),
      );
      await expect(test.store.get(bad)).rejects.toThrow(failure('key-invalid'));
      await expect(test.store.remove(bad)).rejects.toThrow(failure('key-invalid'));
    });

    it('refuses policy keys that are none', async () => {
      using test = open();
      for (const bad of ['', 'a', '../..', 'a/b/c'])
        await expect(test.store.latest(bad)).rejects.toThrow(failure('key-invalid'));
    });
  });
}
