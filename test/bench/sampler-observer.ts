/** The product as an observer: the agent's sampler with its probe, everything attached. */
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { LineProcess } from './line-process.ts';
import type { Observer, Seen } from './observer.ts';

const child = fileURLToPath(new URL('sampler-child.ts', import.meta.url));
const seenLine = z.object({ cycles: z.int(), assistStalls: z.int(), lostEvents: z.int() });

export class SamplerObserver implements Observer {
  readonly #process = new LineProcess(process.execPath, [child]);

  get pids(): readonly number[] {
    return [this.#process.pid];
  }

  async begin(pid: number): Promise<void> {
    this.#process.write(`begin ${pid}`);
    await this.#process.nextLine((line) => line === 'watching');
  }

  async end(): Promise<Seen> {
    this.#process.write('end');
    return seenLine.parse(JSON.parse(await this.#process.nextLine((line) => line.startsWith('{'))));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.endOfInput();
  }
}
