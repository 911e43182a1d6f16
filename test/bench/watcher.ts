/** `robotgc watch` as a user runs it: the bundled program, its probe, its NDJSON. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { BenchError } from './errors.ts';

const bundle = fileURLToPath(new URL('../../dist/robotgc.js', import.meta.url));

const line = z.looseObject({ type: z.string() });
const pauseLine = z.object({
  type: z.literal('pause'),
  reasonName: z.string(),
  reason: z.int(),
  startNs: z.number(),
  stoppingNs: z.number().nullable(),
  totalNs: z.number(),
});
export type Pause = z.infer<typeof pauseLine>;
const windowLine = z.object({ type: z.literal('window'), lostEvents: z.int(), gcAssist: z.object({ count: z.int() }) });

export class Watcher implements AsyncDisposable {
  readonly pid: number;
  readonly pauses: Pause[] = [];
  cycles = 0;
  lostEvents = 0;
  assistStalls = 0;
  readonly #child: ChildProcess;
  readonly #closed: Promise<void>;

  private constructor(child: ChildProcess, pid: number) {
    this.#child = child;
    this.pid = pid;
    this.#closed = new Promise((resolve) => child.once('close', () => resolve()));
    if (child.stdout) createInterface({ input: child.stdout }).on('line', (text) => this.#read(text));
  }

  /** Resolves when the probe is attached. */
  static async start(pid: number): Promise<Watcher> {
    if (!existsSync(bundle))
      throw new BenchError('NOT_BUILT', 'dist/robotgc.js is missing: build it with "npm run setup"');
    const child = spawn(process.execPath, [bundle, 'watch', '--pid', String(pid), '-o', 'ndjson'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said: string[] = [];
    const attached = new Promise<void>((resolve, reject) => {
      createInterface({ input: child.stderr }).on('line', (text) => {
        said.push(text);
        if (text.includes('watching ')) resolve();
      });
      child.once('error', reject);
      child.once('close', () => reject(new BenchError('WATCH_ENDED', `robotgc watch ended: ${said.join('\n')}`)));
    });
    if (child.pid === undefined) throw new BenchError('WATCH_ENDED', 'robotgc watch has no process');
    const watcher = new Watcher(child, child.pid);
    await attached;
    return watcher;
  }

  /** Ends the watch; what was seen until now is in `pauses` afterwards. */
  async stop(): Promise<void> {
    this.#child.kill('SIGINT');
    await this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #read(text: string): void {
    const value: unknown = JSON.parse(text);
    switch (line.parse(value).type) {
      case 'pause':
        this.pauses.push(pauseLine.parse(value));
        break;
      case 'cycle':
        this.cycles += 1;
        break;
      case 'window':
        this.#addWindow(windowLine.parse(value));
        break;
    }
  }

  #addWindow({ lostEvents, gcAssist }: z.infer<typeof windowLine>): void {
    this.lostEvents += lostEvents;
    this.assistStalls += gcAssist.count;
  }
}
