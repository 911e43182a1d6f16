/** The Go program `testdata/phases`: it waits in known ways and tells how long by its own clock. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { buildOnce } from '../../../gobin/testing/go-toolchain.ts';

const answerSchema = z.object({
  clientNs: z.array(z.int()),
  serverNs: z.array(z.int()),
  waitNs: z.array(z.int()),
  failed: z.int(),
  address: z.string(),
});
export type Answer = z.infer<typeof answerSchema>;

export function buildPhases(): string {
  const directory = fileURLToPath(new URL('../testdata/phases', import.meta.url));
  return buildOnce('1.26.8', directory, 'phases', [], { CGO_ENABLED: '0' });
}

export class Phases implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<string>;
  readonly #exited: Promise<unknown>;

  /** @param wrapper a command that becomes the program, such as `ip netns exec NAME` */
  constructor(binary: string, wrapper: readonly string[] = []) {
    const [program = binary, ...args] = [...wrapper, binary];
    this.#child = spawn(program, args, { env: { ...process.env, GOGC: 'off' } });
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    this.#exited = new Promise((resolve) => this.#child.once('exit', resolve));
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  async ask(request: string): Promise<Answer> {
    this.#child.stdin.write(`${request}\n`);
    const { value, done } = await this.#answers.next();
    if (done === true) throw new Error(`phases ended at "${request}": ${this.#child.stderr.read()}`);
    return answerSchema.parse(JSON.parse(value));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }
}
