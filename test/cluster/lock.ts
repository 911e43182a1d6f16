import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
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
  let told = false;
  for (;;) {
    signal?.throwIfAborted();
    if (tryCreate(path)) return { release: () => rmSync(path, { force: true }) };
    const seen = read(path);
    if (seen === undefined) continue; // released in this moment
    const pid = Number(seen.split(' ')[0]);
    if (!isHeld(seen)) {
      takeAway(path, seen);
      continue;
    }
    if (!told) onWait(pid);
    told = true;
    await sleep(200);
  }
}

function isHeld(content: string): boolean {
  const [pid, startTicks] = content.split(' ');
  return startTicks !== undefined && startTicksOf(Number(pid)) === startTicks;
}

/** Linking a complete file into place lets nobody see one that is still empty. */
function tryCreate(path: string): boolean {
  const mine = `${path}.${process.pid}.${performance.now()}`;
  writeFileSync(mine, `${process.pid} ${startTicksOf(process.pid)}`);
  try {
    linkSync(mine, path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(mine);
  }
}

/** Moves the stale lock aside and looks again: another waiter may have replaced it meanwhile, and then it goes back. */
function takeAway(path: string, stale: string): void {
  const aside = `${path}.${process.pid}.stale`;
  try {
    renameSync(path, aside);
    if (read(aside) !== stale) linkSync(aside, path);
  } catch {
    // somebody else was faster; the next round sees what there is now
  }
  rmSync(aside, { force: true });
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
