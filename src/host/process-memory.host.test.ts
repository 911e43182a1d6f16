import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { entryOf } from './auxiliary-vector.ts';
import { openProc } from './proc.ts';
import { type MemoryErrorCode, type MemoryRequest, openMemory } from './process-memory.ts';

const proc = openProc();

class MemoryError extends Error {
  constructor(code: MemoryErrorCode, pid: number, message: string) {
    super(`${code} ${pid}: ${message}`);
  }
}

async function runs(name: string, { pid = 0 }: ChildProcess): Promise<number> {
  for (let tries = 0; proc.comm(pid) !== name; tries++) {
    if (tries > 1_000) throw new Error(`${pid} never was ${name}`);
    await sleep(5);
  }
  return pid;
}

/** As if the program had been linked where it runs: addresses are as they are. */
function requestOf(pid: number): MemoryRequest {
  const process = proc.identity(pid);
  const entryAddress = entryOf(readFileSync(`/proc/${pid}/auxv`));
  if (process === undefined || entryAddress === undefined) throw new Error(`no process ${pid}`);
  return { process, entryAddress, access: 'readWrite' };
}

describe('the memory of a process', () => {
  it('ends with its program: what runs under the same PID afterwards is neither read nor written', async () => {
    const child = spawn('sh', ['-c', 'read line; exec sleep 60'], { stdio: ['pipe', 'ignore', 'inherit'] });
    const exited = new Promise((resolve) => child.once('exit', resolve));
    const request = requestOf(await runs('sh', child));
    using memory = openMemory(proc, request, MemoryError);
    const word = Buffer.alloc(8);
    expect(memory.read(word, request.entryAddress)).toBe(true);
    child.stdin.write('\n');
    const pid = await runs('sleep', child);
    expect(proc.isAlive(request.process)).toBe(true);
    const { entryAddress } = requestOf(pid);
    for (const address of [request.entryAddress, entryAddress]) {
      expect(memory.read(word, address)).toBe(false);
      expect(memory.write(Buffer.alloc(8, 0xcc), address)).toBe(false);
    }
    expect(proc.isAlive(request.process)).toBe(true);
    child.kill('SIGKILL');
    await exited;
  });

  it('is written word by word where it is mapped, and nowhere once closed', async () => {
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    const exited = new Promise((resolve) => child.once('exit', resolve));
    const pid = await runs('sleep', child);
    const stack = /^([0-9a-f]+)-\S+ rw.*\[stack\]$/m.exec(readFileSync(`/proc/${pid}/maps`, 'utf8'))?.[1];
    const at = Number.parseInt(stack ?? '', 16);
    using memory = openMemory(proc, requestOf(pid), MemoryError);
    const seen = Buffer.alloc(12);
    expect(memory.write(Buffer.from([1, 2, 3, 4]), at + 4)).toBe(true);
    expect(memory.read(seen, at)).toBe(true);
    expect([...seen]).toEqual([0, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0]);
    expect(memory.write(Buffer.alloc(4), 8)).toBe(false);
    memory.close();
    expect(memory.read(seen, at)).toBe(false);
    expect(memory.write(Buffer.from([9, 9, 9, 9]), at)).toBe(false);
    using again = openMemory(proc, requestOf(pid), MemoryError);
    expect(again.read(seen, at)).toBe(true);
    expect([...seen.subarray(0, 8)]).toEqual([0, 0, 0, 0, 1, 2, 3, 4]);
    child.kill('SIGKILL');
    await exited;
  });
});
