import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { planLibssl } from '../gobin/index.ts';
import { mappedLibssl, openFileReader } from './index.ts';

const library = ['3', '1.1'].map((version) => `/usr/lib/x86_64-linux-gnu/libssl.so.${version}`).find(existsSync);
const missing = library === undefined ? 'no libssl' : existsSync('/usr/bin/python3') ? undefined : 'no python3';
const why = missing === undefined ? '' : ` (skipped: ${missing})`;

function sameDevice(a: string, b: string): boolean {
  return statSync(a).dev === statSync(b).dev;
}

function linkOrCopy(from: string, to: string): void {
  if (sameDevice(from, dirname(to))) linkSync(from, to);
  else copyFileSync(from, to);
}

/** A process that loads a library and waits until its standard input is closed. */
async function withLibrary(path: string, look: (pid: number) => void): Promise<void> {
  const program = `import ctypes,sys; ctypes.CDLL(${JSON.stringify(path)}); print("ready", flush=True); sys.stdin.read()`;
  const child = spawn('/usr/bin/python3', ['-c', program], { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    await once(child.stdout, 'data');
    look(child.pid ?? 0);
  } finally {
    child.stdin.end();
    await once(child, 'exit');
  }
}

describe.skipIf(missing !== undefined)(`libssl of a live process${why}`, () => {
  const file = library ?? '';

  it('is the file that it maps, and readelf agrees about the handshake', async () => {
    await withLibrary(file, (pid) => {
      const found = mappedLibssl(pid);
      expect(found).toMatchObject([{ inode: statSync(file).ino, sizeBytes: statSync(file).size }]);
      using reader = openFileReader(found[0]?.path ?? '');
      const plan = planLibssl(reader);
      const table = execFileSync('readelf', ['-W', '--dyn-syms', file], { encoding: 'utf8' });
      const address = /([0-9a-f]{16}) .* SSL_do_handshake(@|$)/m.exec(table)?.[1] ?? '';
      expect(plan).toMatchObject({ kind: 'ok', address: Number.parseInt(address, 16) });
      if (plan.kind !== 'ok') return;
      const code = execFileSync(
        'objdump',
        ['-d', `--start-address=${plan.address}`, `--stop-address=${plan.address + 8}`, file],
        {
          encoding: 'utf8',
        },
      );
      const bytes = [...code.matchAll(/^\s+[0-9a-f]+:\t((?:[0-9a-f]{2} )+)/gm)]
        .map((m) => m[1]?.replaceAll(' ', ''))
        .join('');
      expect(bytes.startsWith(plan.bytes)).toBe(true);
      expect(plan.abiVersion).toMatch(/^OPENSSL_[13]/);
    });
  });

  it('is found even when it was replaced under the process', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'robotgc-libssl-'));
    const copy = join(directory, 'libssl.so.3');
    copyFileSync(file, copy);
    const { ino } = statSync(copy);
    try {
      await withLibrary(copy, (pid) => {
        rmSync(copy);
        copyFileSync(file, copy);
        const found = mappedLibssl(pid);
        // Without the capability for map_files there is no way to it any more: then nothing, never the new file.
        for (const { inode } of found) expect(inode).toBe(ino);
        if (process.getuid?.() === 0) expect(found).toHaveLength(1);
      });
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('is none through a symbolic link that was put into its place, though that leads to the very file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'robotgc-proc-'));
    try {
      await withLibrary(file, (pid) => {
        const real = realpathSync(file);
        // A process whose map_files may not be read, in a root of its own.
        mkdirSync(join(folder, String(pid)));
        writeFileSync(join(folder, String(pid), 'maps'), readFileSync(`/proc/${pid}/maps`));
        const there = join(folder, String(pid), 'root', real);
        mkdirSync(dirname(there), { recursive: true });
        linkOrCopy(real, there);
        const linked = mappedLibssl(pid, folder);
        rmSync(there);
        symlinkSync(real, there);
        expect(mappedLibssl(pid, folder)).toEqual([]);
        rmSync(dirname(there), { recursive: true });
        symlinkSync(dirname(real), dirname(there));
        expect(mappedLibssl(pid, folder)).toEqual([]);
        // A hard link is the file itself; a copy is another, under whatever name.
        expect(linked.map(({ inode }) => inode)).toEqual(sameDevice(real, folder) ? [statSync(real).ino] : []);
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('is none in a process without it, or that has gone', () => {
    expect(mappedLibssl(process.pid)).toEqual([]);
    expect(mappedLibssl(2 ** 22 + 1)).toEqual([]);
  });
});
