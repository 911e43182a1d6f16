import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LayerEntry, sha256Of, withDirectories, writeImageArchive } from './archive.ts';
import { librariesOf, parseLdd } from './images.ts';
import { run } from './run.ts';

let dir: string;
let entries: readonly LayerEntry[];
const config = { tag: 'robotgc.dev/x:local', entrypoint: ['/usr/bin/x'], user: '65532:65532', env: ['A=b'] };

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'robotgc-archive-'));
  await writeFile(join(dir, 'program'), Buffer.alloc(300_000, 'program\n'));
  entries = [
    { path: '/usr/bin/x', type: 'file', source: join(dir, 'program'), mode: 0o755 },
    { path: '/etc/passwd', type: 'text', text: 'x:x:65532:65532::/:\n', mode: 0o644 },
    { path: '/bin/y', type: 'link', target: '../usr/bin/x' },
    { path: '/tmp', type: 'directory', mode: 0o1777 },
  ];
});
afterAll(() => rm(dir, { recursive: true, force: true }));

describe('an image archive', () => {
  it('has the same bytes whatever the order, and the times and owners of the sources', async () => {
    await writeImageArchive(join(dir, 'one.tar'), config, entries);
    await utimes(join(dir, 'program'), 1, 1);
    await writeImageArchive(join(dir, 'two.tar'), config, [...entries].reverse());
    expect(await sha256Of(join(dir, 'one.tar'))).toBe(await sha256Of(join(dir, 'two.tar')));
    expect((await readdir(dir)).sort()).toEqual(['one.tar', 'program', 'two.tar']);
  });

  it('names its layer and its configuration by their sha256, which sha256sum and tar confirm', async () => {
    await writeImageArchive(join(dir, 'one.tar'), config, entries);
    const out = join(dir, 'unpacked');
    await mkdir(out);
    await run(['tar', '-xf', join(dir, 'one.tar'), '-C', out]);
    const [manifest] = JSON.parse(await readFile(join(out, 'manifest.json'), 'utf8'));
    expect(manifest.RepoTags).toEqual([config.tag]);
    const image = await readFile(join(out, manifest.Config), 'utf8');
    expect(manifest.Config).toBe(`${createHash('sha256').update(image).digest('hex')}.json`);
    const [sum] = (await run(['sha256sum', join(out, manifest.Layers[0])])).stdout.split(' ');
    expect(JSON.parse(image)).toMatchObject({
      os: 'linux',
      config: { Entrypoint: ['/usr/bin/x'], User: '65532:65532', Env: ['PATH=/usr/bin:/bin', 'A=b'] },
      rootfs: { diff_ids: [`sha256:${sum}`] },
    });
    const listing = (await run(['tar', '-tvf', join(out, manifest.Layers[0]), '--numeric-owner', '--utc'])).stdout;
    expect(listing.replaceAll(/ +/g, ' ')).toBe(`drwxr-xr-x 0/0 0 1970-01-01 00:00 bin/
lrwxrwxrwx 0/0 0 1970-01-01 00:00 bin/y -> ../usr/bin/x
drwxr-xr-x 0/0 0 1970-01-01 00:00 etc/
-rw-r--r-- 0/0 20 1970-01-01 00:00 etc/passwd
drwxrwxrwt 0/0 0 1970-01-01 00:00 tmp/
drwxr-xr-x 0/0 0 1970-01-01 00:00 usr/
drwxr-xr-x 0/0 0 1970-01-01 00:00 usr/bin/
-rwxr-xr-x 0/0 300000 1970-01-01 00:00 usr/bin/x
`);
    await run(['tar', '-xf', join(out, manifest.Layers[0]), '-C', out]);
    expect(await sha256Of(join(out, 'usr/bin/x'))).toBe(await sha256Of(join(dir, 'program')));
  });

  it('leaves nothing behind when a source is missing', async () => {
    const missing: LayerEntry = { path: '/x', type: 'file', source: join(dir, 'absent'), mode: 0o755 };
    await expect(writeImageArchive(join(dir, 'bad.tar'), config, [missing])).rejects.toThrow(/absent/);
    expect((await readdir(dir)).filter((name) => name.startsWith('bad'))).toEqual([]);
  });
});

describe('entries of a layer', () => {
  it('come parents first, and a directory that is named keeps its mode', () => {
    const paths = withDirectories([
      { path: '/a/b/c', type: 'text', text: '', mode: 0o644 },
      { path: '/a', type: 'directory', mode: 0o700 },
    ]);
    expect(paths.map(({ path }) => path)).toEqual(['a', 'a/b', 'a/b/c']);
    expect(paths[0]).toMatchObject({ mode: 0o700 });
  });
});

describe('shared libraries', () => {
  it('are read from what ldd prints', () => {
    const output = `\tlinux-vdso.so.1 (0x00007fff)
\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f01)
\t/lib64/ld-linux-x86-64.so.2 (0x00007f02)\n`;
    expect(parseLdd(output)).toEqual(['/lib/x86_64-linux-gnu/libc.so.6', '/lib64/ld-linux-x86-64.so.2']);
  });

  it('one that is missing is an error', () => {
    expect(() => parseLdd('\tlibbpf.so.1 => not found\n')).toThrow(/libbpf\.so\.1/);
  });

  it('of Node itself are files of this machine, with the loader among them', async () => {
    const libraries = await librariesOf(process.execPath);
    expect(libraries.some((path) => path.includes('ld-linux'))).toBe(true);
    for (const path of libraries) expect((await stat(path)).size).toBeGreaterThan(1_000);
  });
});
