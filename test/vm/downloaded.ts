/** What virtual machines are made of, each downloaded once into the user's cache. */
import { existsSync } from 'node:fs';
import { takeLock } from '../cluster/lock.ts';

export interface DownloadedOptions {
  readonly onProgress?: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** @param download makes the directory as its last step, so that one which is there is whole */
export async function downloadedOnce(
  what: string,
  directory: string,
  { onProgress, signal }: DownloadedOptions,
  download: () => Promise<void>,
): Promise<void> {
  if (existsSync(directory)) return;
  const told = (pid: number) => onProgress?.(`waiting: process ${pid} is downloading ${what}`);
  const lock = await takeLock(`${directory}.lock`, told, signal);
  try {
    if (!existsSync(directory)) await download();
  } finally {
    lock.release();
  }
}
