/** The Go program `testdata/marking`: it maps memory while cycles come and go, and tells when. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { buildOnce } from '../../../gobin/testing/go-toolchain.ts';

const answerSchema = z.object({ grantedNs: z.array(z.int()), refusedNs: z.array(z.int()) });
/** When its calls began, on CLOCK_MONOTONIC. */
export type MarkingAnswer = z.infer<typeof answerSchema>;

export function buildMarking(): string {
  const directory = fileURLToPath(new URL('../testdata/marking', import.meta.url));
  return buildOnce('1.26.8', directory, 'marking', [], { CGO_ENABLED: '0', GOEXPERIMENT: 'goroutineleakprofile' });
}

export class Marking implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<string>;
  readonly #exited: Promise<unknown>;

  constructor(binary: string) {
    this.#child = spawn(binary, [], { env: { ...process.env, GOGC: 'off' } });
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    this.#exited = once(this.#child, 'exit');
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  async ask(request: string): Promise<MarkingAnswer> {
    this.#child.stdin.write(`${request}\n`);
    const { value, done } = await this.#answers.next();
    if (done === true) throw new Error(`marking ended at "${request}": ${this.#child.stderr.read()}`);
    return answerSchema.parse(JSON.parse(value));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }
}
