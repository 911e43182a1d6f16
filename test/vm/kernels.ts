/** Kernels that a virtual machine can have, each downloaded once into the user's cache. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheRoot } from '../cluster/paths.ts';
import { run } from '../cluster/run.ts';
import { downloadPackages } from './debian.ts';
import { type DownloadedOptions, downloadedOnce } from './downloaded.ts';
import { VmError } from './errors.ts';

/** Version → the Debian release whose kernel it is. */
export const kernelReleases = { '6.1': 'bookworm', '6.12': 'trixie' } as const;
export type KernelVersion = keyof typeof kernelReleases;
export const kernelVersions = Object.keys(kernelReleases).filter(isKernelVersion);

export function isKernelVersion(text: string): text is KernelVersion {
  return Object.hasOwn(kernelReleases, text);
}

export interface Kernel {
  readonly version: KernelVersion;
  /** As `uname -r` prints it. */
  readonly release: string;
  readonly image: string;
  /** What /lib/modules holds in the machine. */
  readonly modules: string;
  /** A static busybox, for the time before there is a root file system. */
  readonly busybox: string;
}

/** Drivers of devices that a virtual machine does not have are four fifths of all. */
const keptModules = [
  'arch',
  'block',
  'crypto',
  'fs',
  'lib',
  'mm',
  'net',
  'drivers/block',
  'drivers/char',
  'drivers/net/veth.*',
  'drivers/net/dummy.*',
  'drivers/net/virtio_net.*',
  'drivers/net/net_failover.*', // virtio_net's
  'drivers/virtio',
];

/** @throws VmError NO_ARCHIVE where no archive can be reached or it does not hold the kernel */
export async function ensureKernel(version: KernelVersion, options: DownloadedOptions = {}): Promise<Kernel> {
  // What was kept by another list is no cache of this one.
  const kept = createHash('sha256').update(keptModules.join(' ')).digest('hex').slice(0, 8);
  const directory = join(cacheRoot(), 'vm', `kernel-${version}-${kept}`);
  await downloadedOnce(`kernel ${version}`, directory, options, () => download(version, directory, options));
  const [release = ''] = await readdir(join(directory, 'modules'));
  return {
    version,
    release,
    image: join(directory, 'vmlinuz'),
    modules: join(directory, 'modules'),
    busybox: join(directory, 'busybox'),
  };
}

async function download(
  version: KernelVersion,
  directory: string,
  { onProgress, signal }: DownloadedOptions,
): Promise<void> {
  const fresh = `${directory}.new`;
  await rm(fresh, { recursive: true, force: true });
  onProgress?.(`downloading kernel ${version} of Debian ${kernelReleases[version]}`);
  const packages = await downloadPackages(
    kernelReleases[version],
    ['linux-image-amd64', 'busybox-static'],
    fresh,
    signal === undefined ? {} : { signal },
  );
  const image = packages.find((file) => file.includes('/linux-image-'));
  const busybox = packages.find((file) => file.includes('/busybox-static_'));
  if (image === undefined || busybox === undefined)
    throw new VmError('BAD_PACKAGE', `${packages.join(', ')}: no kernel in it`);
  const unpacked = join(fresh, 'unpacked');
  await mkdir(join(unpacked, 'usr/lib'), { recursive: true });
  await mkdir(join(unpacked, 'usr/bin'));
  // Releases differ in whether these are directories of their own; depmod looks for the first.
  for (const name of ['lib', 'bin']) await symlink(join('usr', name), join(unpacked, name));
  const kept = keptModules.map((pattern) => `*/kernel/${pattern}`);
  await unpack(image, unpacked, ['./boot/vmlinuz-*', '*/modules.builtin*', '*/modules.order', ...kept]);
  await unpack(busybox, unpacked, ['*/bin/busybox']);
  const modules = join(unpacked, 'usr/lib/modules');
  const [release = ''] = await readdir(modules);
  await run(['depmod', '--basedir', unpacked, release]);
  await rename(modules, join(fresh, 'modules'));
  await rename(join(unpacked, 'boot', `vmlinuz-${release}`), join(fresh, 'vmlinuz'));
  await rename(join(unpacked, 'usr/bin/busybox'), join(fresh, 'busybox'));
  for (const leftover of [unpacked, ...packages]) await rm(leftover, { recursive: true });
  await rename(fresh, directory);
}

async function unpack(file: string, into: string, patterns: readonly string[]): Promise<void> {
  // A pattern that meets nothing is an error to tar, and each release lacks some.
  const script =
    'file=$1 into=$2; shift 2; dpkg-deb --fsys-tarfile "$file" | tar --extract --directory "$into" --keep-directory-symlink --wildcards "$@"';
  await run(['sh', '-c', script, 'sh', file, into, ...patterns], { okCodes: [0, 2] });
}
