import { type Stats, statSync } from 'node:fs';
import { libsslMappings, type Mapping } from './maps-parse.ts';
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

/**
 * By map_files, which opens the mapped file even when it has been replaced, but needs CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE; else by
 * its path in the process's own root, if that is still the same inode.
 */
function reach(process: string, mapping: Mapping): MappedFile | undefined {
  const mapped = `${process}/map_files/${mapping.range}`;
  for (const path of [mapped, `${process}/root${mapping.path}`]) {
    const file = statOf(path);
    if (file?.isFile() !== true || (path !== mapped && file.ino !== mapping.inode)) continue;
    return { path, link: mapping.path, device: file.dev, inode: file.ino, sizeBytes: file.size };
  }
  return undefined;
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch (error) {
    errorCode(error);
    return undefined;
  }
}
