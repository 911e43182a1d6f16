/**
 * The floor under what the agent costs: a C program that only reads the files that the agent keeps open, at the agent's pace, and one that
 * only waits for the kernel's news of the same cgroups. What is above the floor is the agent's own.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { BenchError } from './errors.ts';
import { LineProcess } from './line-process.ts';

const run = promisify(execFile);
const source = fileURLToPath(new URL('testdata/read-floor.c', import.meta.url));

/** Builds the program in a folder that is gone afterwards, and hands it to `use`. */
export async function withReadFloor<T>(use: (binary: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'robotgc-bench-floor-'));
  try {
    const binary = join(folder, 'read-floor');
    await run('cc', ['-O2', '-o', binary, source]).catch((cause: unknown) => {
      throw new BenchError('PEER_MISSING', `${source} could not be built: run "cc -O2 ${source}"`, cause);
    });
    return await use(binary);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export class ReadFloor implements AsyncDisposable {
  readonly #process: LineProcess;

  private constructor(process: LineProcess) {
    this.#process = process;
  }

  /** Resolves when it has opened what it reads, or waits for. */
  static async start(binary: string, agentPid: number, does: 'read' | 'poll'): Promise<ReadFloor> {
    const floor = new ReadFloor(new LineProcess(binary, [String(agentPid), ...(does === 'poll' ? ['poll'] : [])]));
    await floor.#process.nextLine((line) => line.startsWith('reads '));
    return floor;
  }

  get pid(): number {
    return this.#process.pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.interrupt();
  }
}
