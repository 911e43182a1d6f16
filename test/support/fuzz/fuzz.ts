/**
 * Gives a parser as many inputs as wanted and holds it to what every parser of foreign bytes promises: no error but those it names, an
 * answer within the time limit, no memory that stays and no peak beyond the bound.
 *
 *   ROBOTGC_FUZZ_INPUTS   inputs for each parser (default: a few thousand, for the tests)
 *   ROBOTGC_FUZZ_SEED     the seed that a failure named, to run the same inputs again
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Random, randomFrom } from './random.ts';

export interface FuzzOptions<T> {
  readonly name: string;
  readonly make: (random: Random) => T;
  /** Takes one input. Throws when a promise is broken. */
  readonly take: (input: T) => void;
  /** For the message of a failure. */
  readonly show?: (input: T) => string;
  readonly inputs?: number;
  readonly limitMs?: number;
  /** By how much the process may grow at its peak, and how much of that may stay. */
  readonly peakBytes?: number;
  readonly keptBytes?: number;
}

export interface FuzzReport {
  readonly inputs: number;
  readonly inputsPerSecond: number;
  readonly slowestMs: number;
  readonly peakBytes: number;
  readonly keptBytes: number;
}

const inTests = 3_000;
const sayEveryMs = 60_000;
const mebibyte = 2 ** 20;

/** How many inputs each parser gets. */
export function wantedInputs(normally = inTests): number {
  const wanted = Number(process.env.ROBOTGC_FUZZ_INPUTS);
  return wanted > 0 ? Math.floor(wanted) : normally;
}

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

export function fuzz<T>(options: FuzzOptions<T>): FuzzReport {
  const { name, limitMs = 500, peakBytes = 512 * mebibyte, keptBytes = 32 * mebibyte } = options;
  const inputs = wantedInputs(options.inputs);
  const seed = Number(process.env.ROBOTGC_FUZZ_SEED ?? Date.now()) >>> 0;
  const random = randomFrom(seed);
  const fail = (index: number, input: T, why: string, cause?: unknown): never => {
    throw new Error(`${name}: input ${index} of seed ${seed} ${why}: ${shown(options, input)}`, { cause });
  };
  let slowestMs = 0;
  collect();
  const heapBefore = process.memoryUsage().heapUsed;
  const peakBefore = peakRssBytes();
  const began = performance.now();
  let saidMs = began;
  for (let index = 0; index < inputs; index++) {
    const input = options.make(random);
    const start = performance.now();
    if (start - saidMs > sayEveryMs) {
      saidMs = start;
      console.log(`fuzz: ${name}: ${index} of ${inputs}, seed ${seed}`);
    }
    try {
      options.take(input);
    } catch (error) {
      fail(index, input, `broke a promise (${error})`, error);
    }
    const tookMs = performance.now() - start;
    if (tookMs <= slowestMs) continue;
    // A busy machine makes anything slow once; a slow input is slow each time.
    slowestMs = Math.min(tookMs, tookMs > limitMs / 2 ? quickestCpuMs(() => options.take(input)) : tookMs);
    if (slowestMs > limitMs) fail(index, input, `took ${slowestMs.toFixed(0)} ms of processor time`);
  }
  const seconds = (performance.now() - began) / 1000;
  collect();
  const report = {
    inputs,
    inputsPerSecond: Math.round(inputs / seconds),
    slowestMs: Math.round(slowestMs * 100) / 100,
    peakBytes: peakRssBytes() - peakBefore,
    keptBytes: Math.max(0, process.memoryUsage().heapUsed - heapBefore),
  };
  if (report.peakBytes > peakBytes) throw new Error(`${name}, seed ${seed}: grew by ${report.peakBytes} bytes`);
  if (report.keptBytes > keptBytes) throw new Error(`${name}, seed ${seed}: kept ${report.keptBytes} bytes`);
  if (process.env.ROBOTGC_FUZZ_INPUTS) console.log(`fuzz: ${name}: ${JSON.stringify(report)}`);
  return report;
}

function quickestCpuMs(work: () => void): number {
  return Math.min(
    ...[1, 2, 3].map(() => {
      const before = process.cpuUsage();
      work();
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1000;
    }),
  );
}

/** Of the whole process since it began; the kernel tells it in KiB. */
const peakRssBytes = (): number => process.resourceUsage().maxRSS * 1024;

function shown<T>({ show }: FuzzOptions<T>, input: T): string {
  if (show) return show(input);
  const text = input instanceof Uint8Array ? Buffer.from(input).toString('base64') : JSON.stringify(input);
  return text.slice(0, 6000);
}
