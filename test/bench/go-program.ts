/** Go programs of the benchmarks' own: built into a folder that is gone afterwards. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { BenchError } from './errors.ts';

const run = promisify(execFile);

/** Builds `what` (a package or a file, as `go build` takes it) in a folder and hands the binary to `use`. */
export async function withGoBinary<T>(
  cwd: string,
  what: string,
  use: (binary: string) => Promise<T>,
  flags: readonly string[] = [],
): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'robotgc-bench-'));
  try {
    const binary = join(directory, 'robot');
    await run('go', ['build', '-p', '2', ...flags, '-o', binary, what], { cwd }).catch((cause: unknown) => {
      throw new BenchError('ROBOT_NOT_BUILT', `${what} could not be built: run "go build ${what}" in ${cwd}`, cause);
    });
    return await use(binary);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
