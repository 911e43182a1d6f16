/** `robotgc watch` and the program it watches, as processes of the machine that this runs on. */
import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { until } from '../../support/until.ts';
import { wallMs } from './kernel-files.ts';

export interface Line {
  readonly type: string;
  /** Of a window. */
  readonly endedAt?: string;
  readonly arrivedMs: number;
  readonly [key: string]: unknown;
}

export interface Watch {
  /** Objects printed so far. */
  readonly lines: readonly Line[];
  readonly windows: () => readonly Line[];
  /** Itself while it runs. @throws with its words when it has ended: what is waited for will not come */
  alive(): Watch;
  /** Ends it as Ctrl-C does. */
  end(): Promise<number>;
  /** Ends it without a chance to tidy up. */
  kill(): void;
  readonly exited: Promise<number>;
  stderr(): string;
}

/**
 * @param without capabilities that it and what it starts do not have, such as `sys_resource`
 * @returns when the first window has been printed
 */
export async function startWatch(
  robotgc: string,
  pid: number,
  args: readonly string[] = [],
  without: readonly string[] = [],
): Promise<Watch> {
  const dropped = without.map((capability) => `--bounding-set=-${capability}`);
  const [program = '', ...before] = dropped.length > 0 ? ['setpriv', ...dropped, process.execPath] : [process.execPath];
  const child = spawn(program, [...before, robotgc, 'watch', '--pid', String(pid), '-o', 'ndjson', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: Line[] = [];
  let stderr = '';
  createInterface({ input: child.stdout }).on('line', (line) =>
    lines.push({ ...JSON.parse(line), arrivedMs: wallMs() }),
  );
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const exited = exitOf(child);
  const windows = () => lines.filter(({ type }) => type === 'window');
  const watch: Watch = {
    lines,
    windows,
    alive: () => {
      if (child.exitCode === null && child.signalCode === null) return watch;
      throw new Error(`robotgc watch ended with ${child.exitCode ?? child.signalCode}: ${stderr}`);
    },
    kill: () => child.kill('SIGKILL'),
    exited,
    stderr: () => stderr,
    end: () => {
      child.kill('SIGINT');
      return exited;
    },
  };
  await until('the first window', () => watch.alive().windows().length > 0, 180_000, 20);
  return watch;
}

/** Waits until all that happened by now is in windows: they may be printed late, and the first that ends from now on may lack its last moments. */
export async function windowsOfNow(
  windows: () => readonly { readonly endedAt?: string }[],
  timeoutMs: number,
): Promise<void> {
  const nowMs = Date.now();
  const isAfter = ({ endedAt = '' }): boolean => Date.parse(endedAt) > nowMs;
  await until('two more windows', () => windows().filter(isAfter).length >= 2, timeoutMs, 20);
}

export function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => child.once('close', (code) => resolve(code ?? -1)));
}

/** A program that answers each line of its input by one of its output. */
export class Talker {
  readonly child: ChildProcessWithoutNullStreams;
  readonly exited: Promise<number>;
  readonly #answers: AsyncIterator<string>;

  constructor(program: string, env: Readonly<Record<string, string>>) {
    this.child = spawn(program, [], { env: { ...process.env, ...env } });
    this.child.stdin.on('error', () => {});
    this.child.stderr.pipe(process.stderr);
    this.exited = exitOf(this.child);
    this.#answers = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  async ask(request: string): Promise<string> {
    this.tell(request);
    const { value, done } = await this.#answers.next();
    if (done === true) throw new Error(`the program ended at "${request}"`);
    return value;
  }

  /** Without waiting for the answer, which may not come. */
  tell(request: string): void {
    this.child.stdin.write(`${request}\n`);
  }
}
