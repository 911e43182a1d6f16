/**
 * Gives a parser as many inputs as wanted and holds it to what every parser of foreign bytes promises: no error but those it names, an
 * answer within the time limit, no memory that stays and no peak beyond the bound.
 *
 *   ROBOTGC_FUZZ_INPUTS   inputs for each parser (default: a few thousand, for the tests)
 *   ROBOTGC_FUZZ_SEED     the seed that a failure named, to run the same inputs again
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Random, randomFrom } from './random.ts';

export interface FuzzOptions<T> {
  readonly name: string;
  readonly make: (random: Random) => T;
  /** Takes one input. Throws, or rejects, when a promise is broken. */
  readonly take: (input: T) => void | Promise<void>;
  /** For the message of a failure. */
  readonly show?: (input: T) => string;
  /** Of the inputs that each parser gets, how many this one does: less than 1 where one takes long. */
  readonly share?: number;
  readonly limitMs?: number;
  /** By how much the process may grow at its peak while this parser is at work, and how much of that may stay. */
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
function wantedInputs(): number {
  const wanted = Number(process.env.ROBOTGC_FUZZ_INPUTS);
  return wanted > 0 ? Math.floor(wanted) : inTests;
}

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

export async function fuzz<T>(options: FuzzOptions<T>): Promise<FuzzReport> {
  const { name, share = 1, limitMs = 500, peakBytes = 512 * mebibyte, keptBytes = 32 * mebibyte } = options;
  const inputs = Math.ceil(wantedInputs() * share);
  const seed = Number(process.env.ROBOTGC_FUZZ_SEED ?? Date.now()) >>> 0;
  const random = randomFrom(seed);
  const fail = (index: number, input: T, why: string, cause?: unknown): never => {
    throw new Error(`${name}: input ${index} of seed ${seed} ${why}: ${shown(options, input)}`, { cause });
  };
  let slowestMs = 0;
  collect();
  const heapBefore = process.memoryUsage().heapUsed;
  forgetPeak();
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
      const waiting = taken(options, input);
      if (waiting) await waiting;
    } catch (error) {
      fail(index, input, `broke a promise (${error})`, error);
    }
    const tookMs = performance.now() - start;
    if (tookMs <= slowestMs) continue;
    // A busy machine makes anything slow once; a slow input is slow each time.
    slowestMs = Math.min(tookMs, tookMs > limitMs / 2 ? await quickestCpuMs(() => taken(options, input)) : tookMs);
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

/** A promise only where there is something to wait for: a turn of the event loop for each input would cost more than most parsers. */
function taken<T>({ take }: FuzzOptions<T>, input: T): Promise<void> | undefined {
  return take(input) ?? undefined;
}

async function quickestCpuMs(work: () => Promise<void> | undefined): Promise<number> {
  let quickest = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < 3; tries++) {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    quickest = Math.min(quickest, (user + system) / 1000);
  }
  return quickest;
}

/** proc_pid_clear_refs(5): from now on the peak is that of what follows, not of a parser that had its turn before. */
const forgetPeak = (): void => writeFileSync('/proc/self/clear_refs', '5');

function peakRssBytes(): number {
  const peak = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  if (peak === undefined) throw new Error('/proc/self/status tells no VmHWM');
  return Number(peak) * 1024;
}

function shown<T>({ show }: FuzzOptions<T>, input: T): string {
  if (show) return show(input);
  const text = input instanceof Uint8Array ? Buffer.from(input).toString('base64') : JSON.stringify(input);
  return text.slice(0, 6000);
}
