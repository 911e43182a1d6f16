import { lstatSync, type Stats, statfsSync, statSync } from 'node:fs';
import { libsslMappings, type Mapping, runsLibraries } from './maps-parse.ts';
import { errorCode, textOf } from './text-file.ts';

/** A file that a process has mapped, and a path by which this process can open it. */
export interface MappedFile {
  /** Opens the very file that is mapped. */
  readonly path: string;
  /** As the process itself sees it, for people. */
  readonly link: string;
  readonly device: number;
  readonly inode: number;
  readonly sizeBytes: number;
}

/** 64 K mappings (vm.max_map_count) of 160 bytes. */
const maxMapsBytes = 16 * 1024 * 1024;

/** The files of OpenSSL's libssl that a process runs code of, one for each inode; empty when it has none, has gone or may not be read. */
export function mappedLibssl(pid: number, root = '/proc'): MappedFile[] {
  const maps = textOf(`${root}/${pid}/maps`, maxMapsBytes);
  return libsslMappings(maps ?? '').flatMap((mapping) => reach(`${root}/${pid}`, mapping) ?? []);
}

/** Whether a process may load libraries: one that is linked statically runs no code but its own. */
export function loadsLibraries(pid: number, root = '/proc'): boolean {
  return runsLibraries(textOf(`${root}/${pid}/maps`, maxMapsBytes) ?? '');
}

/**
 * By map_files, which opens the mapped file even when it has been replaced, but needs CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE; else by
 * its path in the process's own root, if that still leads to the same file.
 */
function reach(process: string, mapping: Mapping): MappedFile | undefined {
  const mapped = `${process}/map_files/${mapping.range}`;
  const path = `${process}/root${mapping.path}`;
  const direct = attempt(() => statSync(mapped));
  if (direct?.isFile()) return mappedFile(mapped, mapping, direct);
  const found = lstatWithin(`${process}/root`, mapping.path);
  return found?.isFile() && isSame(path, found, mapping) ? mappedFile(path, mapping, found) : undefined;
}

function mappedFile(path: string, { path: link }: Mapping, { dev, ino, size }: Stats): MappedFile {
  return { path, link, device: dev, inode: ino, sizeBytes: size };
}

/**
 * Undefined where any part of the path is a symbolic link: the kernel names mapped files without, so it is one that was put there since, and
 * an absolute one would lead out of the process's root into ours.
 */
function lstatWithin(root: string, path: string): Stats | undefined {
  let at = root;
  let found: Stats | undefined;
  for (const name of path.split('/').slice(1)) {
    if (name === '' || name === '.' || name === '..') return undefined;
    at += `/${name}`;
    found = attempt(() => lstatSync(at));
    if (!found || found.isSymbolicLink()) return undefined;
  }
  return found;
}

/**
 * Filesystems whose stat(2) names another device than maps does (linux/magic.h): overlayfs, where some kernels name the one beneath, and
 * btrfs with its subvolumes. There the inode's number has to do.
 */
const otherDevices: ReadonlySet<number> = new Set([0x794c7630, 0x9123683e]);

function isSame(path: string, { dev, ino }: Stats, { device, inode }: Mapping): boolean {
  if (ino !== inode) return false;
  return device === deviceName(dev) || otherDevices.has(attempt(() => statfsSync(path).type) ?? 0);
}

/** As the kernel writes it in maps, from its encoding for user space (linux/kdev_t.h, new_encode_dev). */
function deviceName(dev: number): string {
  const major = Math.floor(dev / 256) % 4096;
  const minor = (dev % 256) + Math.floor(dev / 2 ** 20) * 256;
  return [major, minor].map((part) => part.toString(16).padStart(2, '0')).join(':');
}

function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    errorCode(error);
    return undefined;
  }
}
