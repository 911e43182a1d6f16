/** A program that answers each line with one line, for tests. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { stopChild } from './robot.ts';

export class LineProgram implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<string>;

  constructor(binary: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.#child = spawn(binary, args, { env: { ...process.env, ...env } });
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    this.#child.stderr.resume();
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  async ask(question: string): Promise<string> {
    this.#child.stdin.write(`${question}\n`);
    const { value, done } = await this.#answers.next();
    if (done) throw new Error('the program has ended');
    return value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await stopChild(this.#child);
  }
}
