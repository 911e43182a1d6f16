import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startTicksOf } from './processes.ts';

export interface Lock {
  release(): void;
}

/**
 * A lock file that names its holder by process number and start time, so that the one of a killed process is taken over.
 * Waits until it is free; not re-entrant.
 */
export async function takeLock(path: string, onWait: (pid: number) => void, signal?: AbortSignal): Promise<Lock> {
  await mkdir(dirname(path), { recursive: true });
  const me = `${process.pid} ${startTicksOf(process.pid)}`;
  let told = false;
  for (;;) {
    signal?.throwIfAborted();
    if (tryCreate(path, me)) return { release: () => rmSync(path, { force: true }) };
    const [pid = '0', startTicks] = readHolder(path).split(' ');
    if (startTicksOf(Number(pid)) !== startTicks) {
      rmSync(path, { force: true });
      continue;
    }
    if (!told) onWait(Number(pid));
    told = true;
    await sleep(200);
  }
}

function tryCreate(path: string, content: string): boolean {
  try {
    writeFileSync(path, content, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

function readHolder(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
