/** Go programs as Debian builds them, unpacked into the user's cache without being installed. */
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheRoot } from '../cluster/paths.ts';
import { run } from '../cluster/run.ts';
import { downloadPackages } from '../vm/debian.ts';

/** Debian 13: built by Go 1.24, as position-independent executables with cgo. */
const release = 'trixie';
const packages = { prometheus: 'prometheus', etcd: 'etcd-server', containerd: 'containerd' } as const;
export type DebianProgram = keyof typeof packages;
export const debianPrograms: readonly DebianProgram[] = ['prometheus', 'etcd', 'containerd'];

/** Path of the program; its package is downloaded first where that has not been done yet. @throws VmError NO_ARCHIVE */
export async function debianProgram(name: DebianProgram): Promise<string> {
  const root = join(cacheRoot(), '..', 'debian', release, packages[name]);
  const file = join(root, 'usr', 'bin', name);
  if (existsSync(file)) return file;
  const fresh = `${root}.${process.pid}`;
  await mkdir(fresh, { recursive: true });
  const [archive = ''] = await downloadPackages(release, [packages[name]], join(fresh, 'archives'));
  await run(['dpkg-deb', '--extract', archive, fresh]);
  await rm(join(fresh, 'archives'), { recursive: true });
  // Another test may have been quicker with the same.
  await rename(fresh, root).catch(async (error: unknown) => {
    await rm(fresh, { recursive: true, force: true });
    if (!existsSync(file)) throw error;
  });
  return file;
}
