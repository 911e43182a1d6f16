import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { storeCases } from './store.cases.ts';
import { FolderStore } from './store-folder.ts';
import { temporaryFolder } from './test-support.ts';

storeCases('FolderStore', () => {
  const folder = temporaryFolder();
  const root = join(folder.path, 'bundles');
  let nowMs = Date.now();
  return {
    store: new FolderStore(root, () => nowMs),
    reopen: () => new FolderStore(root, () => nowMs),
    setNow: (ms) => {
      nowMs = ms;
    },
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
});

describe('FolderStore on disk', () => {
  const content = Buffer.from('bundle');
  const expected = { sha256: createHash('sha256').update(content).digest('hex'), previous: null };
  const key = 'robots/dispatch/a.tar.gz';

  it('lets only its owner read', async () => {
    using folder = temporaryFolder();
    const root = join(folder.path, 'bundles');
    await new FolderStore(root).put(key, content, expected);
    const mode = (path: string) => statSync(join(root, path)).mode & 0o777;
    expect([mode('robots'), mode('robots/dispatch'), mode(key), mode('robots/dispatch/.chain.json')]).toEqual([
      0o700, 0o700, 0o600, 0o600,
    ]);
    expect(readdirSync(join(root, 'robots/dispatch')).sort()).toEqual(['.chain.json', 'a.tar.gz']);
  });

  it('shows nothing of a put that a crash cut off before the index, and takes the next one in its place', async () => {
    using folder = temporaryFolder();
    mkdirSync(join(folder.path, 'robots/dispatch'), { recursive: true });
    writeFileSync(join(folder.path, key), 'another attempt, sealed at another time');
    writeFileSync(join(folder.path, `${key}.0011.partial`), 'half');
    const store = new FolderStore(folder.path);
    expect(await store.list('')).toEqual([]);
    await expect(store.get(key)).rejects.toThrow(expect.objectContaining({ code: 'not-found' }));
    await store.put(key, content, expected);
    expect(content.equals(await buffer(await store.get(key)))).toBe(true);
  });

  it('says so when a listed bundle has vanished or the index is damaged', async () => {
    using folder = temporaryFolder();
    const store = new FolderStore(folder.path);
    await store.put(key, content, expected);
    unlinkSync(join(folder.path, key));
    await expect(store.get(key)).rejects.toThrow(expect.objectContaining({ code: 'not-found' }));
    writeFileSync(join(folder.path, 'robots/dispatch/.chain.json'), '{"bundles":');
    await expect(store.latest('robots/dispatch')).rejects.toThrow(expect.objectContaining({ code: 'index-damaged' }));
  });
});
