/** What this machine needs for virtual machines, and why it may not have them. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { missingGround } from '../../src/host/probe/testing/ground.ts';
import { run } from '../cluster/run.ts';
import { VmError } from './errors.ts';

/** Program → Debian package that brings it. */
const programs = {
  'qemu-system-x86_64': 'qemu-system-x86',
  depmod: 'kmod',
  mke2fs: 'e2fsprogs',
  xz: 'xz-utils',
} as const;

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
export async function ensureTools(onProgress: (line: string) => void = () => {}, signal?: AbortSignal): Promise<void> {
  const missing = missingPrograms();
  if (missing.length === 0) return;
  const packages = missing.map((name) => programs[name]);
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

function missingPrograms(): readonly (keyof typeof programs)[] {
  const directories = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  const names = Object.keys(programs) as (keyof typeof programs)[]; // of a constant table
  return names.filter((name) => !directories.some((directory) => existsSync(join(directory, name))));
}
