import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CpioEntry, cpio } from './cpio.ts';
import type { Kernel } from './kernels.ts';
import { modulesInOrder } from './modules.ts';

const guestDir = fileURLToPath(new URL('./guest', import.meta.url));

/** What it takes until modules can be loaded from the root file system: the bus, the port, the disk, the host's files. */
const wanted = [
  'virtio_pci',
  'virtio_console',
  'virtio_blk',
  'ext4',
  'crc32c_generic',
  '9pnet_virtio',
  '9p',
  'overlay',
];

/** Writes the first root file system of a machine with this kernel. */
export async function writeInitrd(kernel: Kernel, path: string): Promise<void> {
  const modules = modulesInOrder(join(kernel.modules, kernel.release, 'kernel'), wanted);
  const entries: CpioEntry[] = [
    { path: 'bin', type: 'directory' },
    { path: 'modules', type: 'directory' },
    { path: 'bin/busybox', type: 'file', content: readFileSync(kernel.busybox) },
    { path: 'init', type: 'file', content: readFileSync(join(guestDir, 'init.sh')) },
    { path: 'start.sh', type: 'file', content: readFileSync(join(guestDir, 'start.sh')) },
    { path: 'modules/order', type: 'file', content: Buffer.from(modules.map(({ name }) => `${name}\n`).join('')) },
    ...modules.map(({ name, content }): CpioEntry => ({ path: `modules/${name}.ko`, type: 'file', content })),
  ];
  await writeFile(path, cpio(entries));
}
