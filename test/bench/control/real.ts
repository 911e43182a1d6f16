/** The model held against the robot of test/robots: the same load and settings, side by side. Needs a quiet machine with two processors. */

import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomFrom } from '../../support/fuzz/random.ts';
import { type Books, Robot, withRobotBinary } from '../robot.ts';
import { median } from '../statistics.ts';
import { BEAT_SHARE, PROCESSORS } from './constants.ts';
import type { Knobs, Load } from './load.ts';
import { GoProgram } from './program.ts';

/** What is compared. */
export interface Figures {
  readonly cyclesPerSecond: number;
  /** Of the processors, without idle workers. */
  readonly gcCpuShare: number;
  readonly peakBytes: number;
}

export interface Calibration {
  readonly shape: string;
  readonly gogc: number;
  /** GOMEMLIMIT; null: none. */
  readonly goMemLimitMib: number | null;
  readonly robot: Figures;
  readonly model: Figures;
}

/** Each a load that the robot really had: what it kept alive and allocated is read from its books, and the model is given the same. */
interface Work {
  readonly shape: string;
  readonly args: readonly string[];
  readonly goMemLimitMib: number | null;
  /** See `Load`. */
  readonly beatShare: number;
}

const demo = ['-profile', 'demo'];
const WORKS: readonly Work[] = [
  { shape: 'demo', args: demo, goMemLimitMib: null, beatShare: BEAT_SHARE },
  {
    shape: 'demo ×2',
    args: [...demo, '-sessions', '20000', '-messages-per-second', '8000', '-transitions-per-second', '5000'],
    goMemLimitMib: null,
    beatShare: BEAT_SHARE,
  },
  {
    shape: 'messages alone',
    args: ['-mode', 'message', '-sessions', '10000', '-messages-per-second', '20000'],
    goMemLimitMib: null,
    beatShare: 0,
  },
  { shape: 'demo, GOMEMLIMIT', args: demo, goMemLimitMib: 110, beatShare: BEAT_SHARE },
];
const GOGCS = [25, 50, 100, 200];

const WARM_UP_SECONDS = 6;
const STEP_SECONDS = 0.02;
const MIB = 2 ** 20;

export interface RealOptions {
  /** Of each measurement. */
  readonly seconds: number;
  readonly say: (sentence: string) => void;
  readonly signal: AbortSignal;
}

export function calibrations({ seconds, say, signal }: RealOptions): Promise<Calibration[]> {
  return withRobotBinary(async (binary) => {
    const found: Calibration[] = [];
    for (const work of WORKS) {
      for (const gogc of GOGCS) {
        signal.throwIfAborted();
        say(`robot: ${work.shape}, GOGC=${gogc}`);
        found.push(await calibrated(binary, work, gogc, seconds, signal));
      }
    }
    return found;
  });
}

async function calibrated(
  binary: string,
  { shape, args, goMemLimitMib, beatShare }: Work,
  gogc: number,
  seconds: number,
  signal: AbortSignal,
): Promise<Calibration> {
  const limit = goMemLimitMib === null ? {} : { goMemLimit: `${goMemLimitMib}MiB` };
  await using robot = await Robot.start(binary, { gogc, args, ...limit });
  await sleep(WARM_UP_SECONDS * 1000, undefined, { signal });
  const begin = { books: await robot.books(), stats: await robot.stats() };
  await sleep(seconds * 1000, undefined, { signal });
  const end = { books: await robot.books(), stats: await robot.stats() };
  const wall = (end.stats.uptimeNs - begin.stats.uptimeNs) / 1e9;
  const difference = differenceOf(begin.books, end.books);
  const measured: Figures = {
    cyclesPerSecond: difference('/gc/cycles/total:gc-cycles') / wall,
    gcCpuShare: nonIdleSeconds(difference) / (PROCESSORS * wall),
    peakBytes: await peakOf(robot.pid),
  };
  const load: Load = {
    reachableBytes: Math.min(...[begin, end].map(({ books }) => books.metrics['/gc/heap/live:bytes'])),
    allocBytesPerSecond: difference('/gc/heap/allocs:bytes') / wall,
    ...{ activeRobots: 0, processors: PROCESSORS, nodePressure: 0, beatShare },
  };
  const knobs = { gogc, goMemLimitBytes: goMemLimitMib === null ? null : goMemLimitMib * MIB };
  return { shape, gogc, goMemLimitMib, robot: measured, model: modelled(load, knobs, seconds) };
}

type Account = Exclude<keyof Books['metrics'], `/sched/pauses/${string}`>;

function differenceOf(begin: Books, end: Books): (account: Account) => number {
  return (account) => end.metrics[account] - begin.metrics[account];
}

function nonIdleSeconds(difference: (account: Account) => number): number {
  return difference('/cpu/classes/gc/total:cpu-seconds') - difference('/cpu/classes/gc/mark/idle:cpu-seconds');
}

/** The most that was ever resident. */
async function peakOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+([0-9]+) kB$/m.exec(status)?.[1]) * 1024;
}

export function modelled(load: Load, knobs: Knobs, seconds: number): Figures {
  const program = new GoProgram(knobs, randomFrom(1));
  let peakBytes = 0;
  const live = (forSeconds: number): void => {
    for (let step = 0; step < forSeconds / STEP_SECONDS; step++) {
      program.step(load, STEP_SECONDS);
      peakBytes = Math.max(peakBytes, program.usedBytes);
    }
  };
  live(WARM_UP_SECONDS);
  program.take();
  live(seconds);
  const { cycles, gcSeconds } = program.take();
  return { cyclesPerSecond: cycles / seconds, gcCpuShare: gcSeconds / (PROCESSORS * seconds), peakBytes };
}

/** By how much the model is off, as the median over all of |model ÷ robot − 1|; of the CPU share in points, since small shares have large ratios. */
export interface CalibrationError {
  readonly cyclesPerSecond: number;
  readonly gcCpuSharePoints: number;
  readonly peakBytes: number;
}

export function errorOf(calibrations: readonly Calibration[]): CalibrationError {
  const off = (of: (figures: Figures) => number): number =>
    median(calibrations.map(({ robot, model }) => Math.abs(of(model) / of(robot) - 1)));
  return {
    cyclesPerSecond: off((figures) => figures.cyclesPerSecond),
    gcCpuSharePoints: median(
      calibrations.map(({ robot, model }) => 100 * Math.abs(model.gcCpuShare - robot.gcCpuShare)),
    ),
    peakBytes: off((figures) => figures.peakBytes),
  };
}
