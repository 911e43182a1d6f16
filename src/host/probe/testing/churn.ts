/** The Go program `testdata/churn`: built with the toolchain at hand, started, and asked what its runtime counted. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { buildOnce, newestToolchain } from '../../../gobin/testing/go-toolchain.ts';
import { temporaryFolder } from './ground.ts';

const histogramSchema = z
  .object({ boundsSeconds: z.array(z.string()), counts: z.array(z.int()) })
  .transform(({ boundsSeconds, counts }) => ({
    /** Bucket i counts from bound i (inclusive) to bound i + 1. */
    boundsNs: boundsSeconds.map((bound) => Math.round(goFloat(bound) * 1e9)),
    counts,
  }));
export type RuntimeHistogram = z.infer<typeof histogramSchema>;

export const reportSchema = z.object({
  pid: z.int(),
  numGC: z.int(),
  forcedGC: z.int(),
  heapLiveBytes: z.int(),
  heapGoalBytes: z.number(),
  gogc: z.number(),
  memoryLimitBytes: z.number(),
  stackScanBytes: z.int(),
  globalsScanBytes: z.int(),
  allocBytes: z.int(),
  assistCpuSeconds: z.number(),
  dedicatedCpuSeconds: z.number(),
  idleCpuSeconds: z.number(),
  pauseCpuSeconds: z.number(),
  gcCpuSeconds: z.number(),
  /** The latest cycle in which the GC CPU limiter was on; 0: none. */
  lastLimitedCycle: z.int(),
  pausesTotal: histogramSchema,
  pausesStopping: histogramSchema,
  otherPausesTotal: histogramSchema,
  maxProcs: z.int(),
});
export type Report = z.infer<typeof reportSchema>;

function goFloat(text: string): number {
  return text.endsWith('Inf') ? Number(`${text.startsWith('-') ? '-' : ''}Infinity`) : Number(text);
}

/** @returns a copy of its own: what watches or changes it is alone with it */
export function buildChurn(version: string = newestToolchain): string {
  const binary = join(temporaryFolder('churn'), 'churn');
  const directory = fileURLToPath(new URL('../testdata/churn', import.meta.url));
  copyFileSync(buildOnce(version, directory, 'churn', [], {}), binary);
  return binary;
}

/** No test takes as long; what a test that timed out leaves behind must not load the machine under the others. */
const longestLifeMs = 600_000;

export class Churn implements AsyncDisposable {
  readonly exited: Promise<number | null>;
  readonly gcTrace: string[] = [];
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<string>;

  constructor(binary: string, env: Record<string, string> = {}, args: string[] = []) {
    this.#child = spawn(binary, args, {
      env: { ...process.env, ...env },
      timeout: longestLifeMs,
      killSignal: 'SIGKILL',
    });
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    createInterface({ input: this.#child.stderr }).on('line', (line) => this.gcTrace.push(line));
    this.#child.stdin.on('error', () => {});
    this.exited = new Promise((resolve) => this.#child.once('exit', resolve));
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async ask(request: string): Promise<Report> {
    this.#child.stdin.write(`${request}\n`);
    const { value, done } = await this.#answers.next();
    if (done === true) throw new Error(`churn ended at "${request}": ${this.gcTrace.slice(-5).join('\n')}`);
    return reportSchema.parse(JSON.parse(value));
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill();
    await this.exited;
  }
}

/** Stops it and collects, so that no cycle is under way: then the pauses that it has counted are whole. */
export async function atRest(churn: Churn): Promise<Report> {
  await churn.ask('stop');
  return churn.ask('gc');
}
