import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Outbox, OutboxFullError, type OutboxMeta } from './outbox.ts';
import { temporaryFolder } from './test-support.ts';

function bundleFile(folder: string, name: string, sizeBytes = 1000): { meta: OutboxMeta; file: string } {
  const file = join(folder, `new-${name}`);
  const bytes = Buffer.alloc(sizeBytes, name);
  writeFileSync(file, bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const seconds = String(name.charCodeAt(0) % 60).padStart(2, '0');
  const createdAt = `2026-03-01T10:00:${seconds}.000Z`;
  return { meta: { incident: { namespace: 'robots', name, uid: `uid-${name}` }, sha256, sizeBytes, createdAt }, file };
}

const names = async (outbox: Outbox) => (await outbox.pending()).map((item) => item.incident.name);

describe('Outbox', () => {
  it('holds bundles until they are acknowledged, oldest first, through a restart', async () => {
    using folder = temporaryFolder();
    const at = join(folder.path, 'outbox');
    const outbox = await Outbox.open(at, { budgetBytes: 10_000 });
    for (const name of ['c', 'a', 'b']) {
      const { meta, file } = bundleFile(folder.path, name);
      const item = await outbox.put(meta, file);
      expect(existsSync(file)).toBe(false);
      expect(readFileSync(item.file).toString().slice(0, 3)).toBe(name.repeat(3));
    }
    expect(await names(outbox)).toEqual(['a', 'b', 'c']);
    const reopened = await Outbox.open(at, { budgetBytes: 10_000 });
    const [first] = await reopened.pending();
    expect(first?.incident).toEqual({ namespace: 'robots', name: 'a', uid: 'uid-a' });
    await reopened.acknowledge(first?.id ?? '');
    await reopened.acknowledge(first?.id ?? '');
    expect(await names(reopened)).toEqual(['b', 'c']);
    expect(readdirSync(at).length).toBe(4);
    expect(statSync(at).mode & 0o777).toBe(0o700);
  });

  it('takes the same bundle twice as once', async () => {
    using folder = temporaryFolder();
    const outbox = await Outbox.open(join(folder.path, 'outbox'), { budgetBytes: 10_000 });
    const first = bundleFile(folder.path, 'a');
    const item = await outbox.put(first.meta, first.file);
    const again = bundleFile(folder.path, 'a');
    expect(await outbox.put(again.meta, again.file)).toEqual(item);
    expect(existsSync(again.file)).toBe(false);
    expect((await outbox.pending()).length).toBe(1);
  });

  it('refuses the newest when it is full, keeps the older ones, and takes again after an acknowledgement', async () => {
    using folder = temporaryFolder();
    const outbox = await Outbox.open(join(folder.path, 'outbox'), { budgetBytes: 2500 });
    for (const name of ['a', 'b']) {
      const { meta, file } = bundleFile(folder.path, name);
      await outbox.put(meta, file);
    }
    const third = bundleFile(folder.path, 'c');
    await expect(outbox.put(third.meta, third.file)).rejects.toThrow(OutboxFullError);
    expect(existsSync(third.file)).toBe(true);
    expect(await names(outbox)).toEqual(['a', 'b']);
    const [first] = await outbox.pending();
    await outbox.acknowledge(first?.id ?? '');
    await outbox.put(third.meta, third.file);
    expect(await names(outbox)).toEqual(['b', 'c']);
  });

  it('keeps its budget against simultaneous puts', async () => {
    using folder = temporaryFolder();
    const outbox = await Outbox.open(join(folder.path, 'outbox'), { budgetBytes: 3500 });
    const puts = ['a', 'b', 'c', 'd', 'e']
      .map((name) => bundleFile(folder.path, name))
      .map(({ meta, file }) => outbox.put(meta, file));
    const results = await Promise.allSettled(puts);
    expect(results.filter((result) => result.status === 'fulfilled').length).toBe(3);
  });

  it('clears away what a crash left: halves, and bundles without a description', async () => {
    using folder = temporaryFolder();
    const at = join(folder.path, 'outbox');
    const outbox = await Outbox.open(at, { budgetBytes: 10_000 });
    const { meta, file } = bundleFile(folder.path, 'a');
    await outbox.put(meta, file);
    writeFileSync(join(at, 'uid-x.0123.tar.gz'), 'moved in, not described');
    writeFileSync(join(at, 'uid-y.0123.json.aa.partial'), '{');
    const reopened = await Outbox.open(at, { budgetBytes: 10_000 });
    expect(await names(reopened)).toEqual(['a']);
    expect(readdirSync(at).length).toBe(2);
  });

  it('is not led outside its folder by an incident it is given', async () => {
    using folder = temporaryFolder();
    const at = join(folder.path, 'outbox');
    const outbox = await Outbox.open(at, { budgetBytes: 10_000 });
    const { meta, file } = bundleFile(folder.path, 'a');
    const item = await outbox.put({ ...meta, incident: { ...meta.incident, uid: '../../etc/x' } }, file);
    expect(item.file.startsWith(`${at}/`)).toBe(true);
    await outbox.acknowledge('../new-b');
    expect((await outbox.pending()).length).toBe(1);
  });
});
