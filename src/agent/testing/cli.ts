/** The command as users run it: a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { builtBundle } from '../../../test/support/bundle.ts';
import { until } from '../../../test/support/until.ts';

export interface CliRun {
  readonly child: ChildProcess;
  stdout(): string;
  stderr(): string;
  /** Complete lines of stdout as JSON. */
  objects(): { readonly type?: string; readonly [key: string]: unknown }[];
  /** Exit code; -1 when a signal ended it. */
  readonly exited: Promise<number>;
  untilStdout(pattern: RegExp, timeoutMs?: number): Promise<void>;
  untilStderr(pattern: RegExp, timeoutMs?: number): Promise<void>;
}

export interface CliOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Runs before the command, such as `setpriv …`. */
  readonly wrapper?: readonly string[];
}

export function robotgc(args: readonly string[], options: CliOptions = {}): CliRun {
  const [program = process.execPath, ...rest] = [...(options.wrapper ?? []), process.execPath, builtBundle(), ...args];
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...options.env } });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString('utf8');
  });
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString('utf8');
  });
  const exited = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? -1));
  });
  const until_ = async (what: string, text: () => string, pattern: RegExp, timeoutMs = 30_000): Promise<void> => {
    await until(`${what} ${pattern}`, () => pattern.test(text()), timeoutMs, 20).catch((error: unknown) => {
      throw new Error(`${error}\nstdout: ${out.slice(-2000)}\nstderr: ${err.slice(-2000)}`);
    });
  };
  return {
    child,
    stdout: () => out,
    stderr: () => err,
    objects: () =>
      out
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line)),
    exited,
    untilStdout: (pattern, timeoutMs) => until_('stdout has', () => out, pattern, timeoutMs),
    untilStderr: (pattern, timeoutMs) => until_('stderr has', () => err, pattern, timeoutMs),
  };
}
