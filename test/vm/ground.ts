/** What this machine needs for virtual machines, and why it may not have them. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { missingGround } from '../../src/host/probe/testing/ground.ts';
import { run } from '../cluster/run.ts';
import { VmError } from './errors.ts';

/** Program, or file, → Debian package that brings it. */
type PackageOf = Readonly<Record<string, string>>;
const programs: PackageOf = {
  'qemu-system-x86_64': 'qemu-system-x86',
  depmod: 'kmod',
  mke2fs: 'e2fsprogs',
  xz: 'xz-utils',
};

/** For machines with arm64 processors. */
export const arm64Programs: PackageOf = {
  'qemu-system-aarch64': 'qemu-system-arm',
  'aarch64-linux-gnu-gcc': 'gcc-aarch64-linux-gnu',
  '/usr/aarch64-linux-gnu/lib/libc.a': 'libc6-dev-arm64-cross',
};

/** Why no virtual machine can be had here; undefined when it can, if need be after `ensureTools`. */
export function whyNoVm(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'needs Linux on x86-64';
  if (process.getuid?.() !== 0) return 'needs root';
  if (missingPrograms().length > 0 && !existsSync('/etc/debian_version')) {
    return `needs ${missingPrograms().join(', ')}`;
  }
  if (!existsSync('/etc/debian_version')) return 'needs Debian, whose kernels it runs';
  return undefined;
}

/** For names of tests: why they cannot run in a virtual machine; empty when they can. */
export function whyNoMachine(): string {
  const noVm = whyNoVm();
  return noVm === undefined ? missingGround() : ` (skipped: a virtual machine ${noVm})`;
}

/** Installs what is missing. @throws VmError MISSING_PROGRAM */
export async function ensureTools(
  onProgress: (line: string) => void = () => {},
  signal?: AbortSignal,
  wanted: PackageOf = programs,
): Promise<void> {
  const missing = missingPrograms(wanted);
  if (missing.length === 0) return;
  const packages = missing.map((name) => wanted[name] ?? name);
  onProgress(`installing Debian packages: ${packages.join(' ')}`);
  const options = {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    ...(signal === undefined ? {} : { signal }),
  };
  try {
    await run(['apt-get', 'update'], { ...options, okCodes: [0, 100] });
    await run(['apt-get', 'install', '-y', '--no-install-recommends', ...packages], options);
  } catch (cause) {
    // Addresses of mirrors are the machine's business, not this output's.
    const words = String(cause)
      .replace(/https?:\/\/\S+/g, '(mirror)')
      .slice(-600);
    throw new VmError(
      'MISSING_PROGRAM',
      `${missing.join(', ')}: apt-get could not install ${packages.join(' ')}: ${words}`,
    );
  }
}

function missingPrograms(wanted: PackageOf = programs): readonly string[] {
  const directories = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  const isThere = (name: string): boolean =>
    name.startsWith('/') ? existsSync(name) : directories.some((directory) => existsSync(join(directory, name)));
  return Object.keys(wanted).filter((name) => !isThere(name));
}
