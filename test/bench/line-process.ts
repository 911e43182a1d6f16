/** A program that speaks in lines: told on its stdin, heard on its stdout. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { BenchError } from './errors.ts';

const patienceMs = 60_000;
/** Lines of stderr that are shown when it ends before its time. */
const lastWords = 5;

export class LineProcess {
  readonly #name: string;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  readonly #said: string[] = [];
  readonly #ended: Promise<void>;

  constructor(command: string, args: readonly string[]) {
    this.#name = [command, ...args].join(' ').slice(0, 120);
    this.#child = spawn(command, args);
    this.#child.stdin.on('error', () => {}); // its end tells more
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    createInterface({ input: this.#child.stderr }).on('line', (line) => {
      this.#said.push(line);
      if (this.#said.length > lastWords) this.#said.shift();
    });
    this.#ended = new Promise((resolve) => {
      this.#child.once('error', ({ message }) => {
        this.#said.push(message);
        resolve();
      });
      this.#child.once('close', () => resolve());
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  write(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  /** The next line that is wanted; others are passed over. */
  async nextLine(isWanted: (line: string) => boolean): Promise<string> {
    const late = setTimeout(() => this.#child.kill('SIGKILL'), patienceMs);
    try {
      for (;;) {
        const { value, done } = await this.#lines.next();
        if (done === true) break;
        if (isWanted(value)) return value;
      }
    } finally {
      clearTimeout(late);
    }
    await this.#ended;
    throw new BenchError('OBSERVER_ENDED', `${this.#name} ended: ${this.#said.join('; ') || 'without a word'}`);
  }

  /** What it still says until it has ended by a signal. */
  async interrupt(): Promise<string[]> {
    this.#child.kill('SIGINT');
    const rest: string[] = [];
    for (let next = await this.#lines.next(); next.done !== true; next = await this.#lines.next())
      rest.push(next.value);
    await this.#ended;
    return rest;
  }

  async endOfInput(): Promise<void> {
    this.#child.stdin.end();
    await this.#ended;
  }
}
