import { randomBytes } from 'node:crypto';
import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Suffix of files that are being written; whoever opens a folder may delete them. */
const partialSuffix = '.partial';

/**
 * Creates or replaces `file` (mode 0600) whole or not at all: written beside it, synced, renamed, and the folder synced, so that
 * after a crash there is either the old state or the complete new one.
 */
export async function atomicFile(file: string, write: (handle: FileHandle) => Promise<void>): Promise<void> {
  const partial = `${file}.${randomBytes(6).toString('hex')}${partialSuffix}`;
  try {
    const handle = await open(partial, 'wx', 0o600);
    try {
      await write(handle);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  await syncFolder(dirname(file));
}

/** What a process that was killed left half written in a folder that nobody else writes to. */
export async function removePartials(folder: string): Promise<void> {
  const partial = (await readdir(folder)).filter((name) => name.endsWith(partialSuffix));
  for (const name of partial) await rm(join(folder, name), { force: true });
}

/** Creates or replaces `file` (mode 0600), gone again where `write` rejects. Nothing is synced: that is for whoever keeps it. */
export async function scratchFile(file: string, write: (handle: FileHandle) => Promise<void>): Promise<void> {
  try {
    await using handle = await open(file, 'w', 0o600);
    await write(handle);
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  }
}

export async function syncFile(file: string): Promise<void> {
  await using handle = await open(file, 'r+');
  await handle.sync();
}

export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
