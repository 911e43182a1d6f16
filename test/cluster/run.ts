import { spawn } from 'node:child_process';
import { ClusterError } from './errors.ts';

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string | Uint8Array;
  readonly signal?: AbortSignal;
  /** Exit codes that are not errors; default only 0. */
  readonly okCodes?: readonly number[];
}

export interface RunResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

/** Runs a command to its end and returns what it printed. @throws ClusterError COMMAND_FAILED with the command's own words. */
export function run(command: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const [program, ...args] = command;
  if (program === undefined) throw new ClusterError('COMMAND_FAILED', 'an empty command was given');
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      env: options.env ?? process.env,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    // A program that ends without reading its input is judged by its exit code, not by the broken pipe.
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
    child.on('error', (cause) => {
      if (options.signal?.aborted === true) return reject(cause);
      reject(new ClusterError('MISSING_PROGRAM', `cannot run ${program}: ${cause.message}`, { cause }));
    });
    child.on('close', (exitCode, killedBy) => {
      const code = exitCode ?? 128;
      const result = { code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() };
      if ((options.okCodes ?? [0]).includes(code)) return resolve(result);
      const why = killedBy === null ? `exit code ${code}` : `signal ${killedBy}`;
      const words = (result.stderr.trim() || result.stdout.trim()).slice(-2000);
      reject(new ClusterError('COMMAND_FAILED', `${command.join(' ').slice(0, 300)}: ${why}\n${words}`));
    });
  });
}
