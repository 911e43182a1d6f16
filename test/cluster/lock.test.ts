import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { takeLock } from './lock.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'robotgc-lock-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

describe('the lock of a cluster', () => {
  it('is held by one at a time, and tells who waits for whom', async () => {
    const path = join(dir, 'busy');
    const order: string[] = [];
    const first = await takeLock(path, () => {});
    const second = takeLock(path, (pid) => order.push(`waiting for ${pid === process.pid ? 'me' : pid}`)).then(
      (lock) => {
        order.push('second');
        lock.release();
      },
    );
    await sleep(300);
    order.push('first done');
    first.release();
    await second;
    expect(order).toEqual(['waiting for me', 'first done', 'second']);
    expect(existsSync(path)).toBe(false);
  });

  it.each([
    ['a process that has ended', () => `${spawnSync('true').pid} 1`],
    ['an earlier process under a number that lives again', () => `${process.pid} 1`],
    ['nobody', () => ''],
  ])('is taken over from %s', async (_, holder) => {
    const path = join(dir, 'stale');
    await writeFile(path, holder());
    const lock = await takeLock(path, () => expect.fail('nobody is there to wait for'));
    lock.release();
  });

  it('stops waiting when told to', async () => {
    const path = join(dir, 'aborted');
    const held = await takeLock(path, () => {});
    await expect(takeLock(path, () => {}, AbortSignal.timeout(100))).rejects.toThrow(/timeout/i);
    held.release();
  });
});
