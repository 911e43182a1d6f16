/** Bench `probe-overhead`: what watching a saturated robot costs it, with and without the probe by turns. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Robot, withRobotBinary } from './robot.ts';
import { median } from './statistics.ts';
import { allUsages, tree, usageOf } from './usage.ts';
import { Watcher } from './watcher.ts';

export interface OverheadOptions {
  readonly rounds: number;
  /** Length of one measurement. */
  readonly seconds: number;
  readonly gogc: number;
  readonly say: (sentence: string) => void;
}

export interface Throughput {
  readonly eventsPerSecond: number;
  /** Robust against whatever else the machine does. */
  readonly eventsPerCpuSecond: number;
}

export interface Round {
  readonly without: Throughput;
  readonly with: Throughput & {
    /** Of `robotgc watch` and its probe together, in cores. */
    readonly watcherCores: number;
    readonly gcCyclesPerSecond: number;
    /** What the probe stops at most often: twice for each. */
    readonly assistStallsPerSecond: number;
  };
}

export interface OverheadResult {
  readonly bench: 'probe-overhead';
  readonly gogc: number;
  readonly rounds: readonly Round[];
  /** Median with ÷ median without: 1 is free. */
  readonly eventsPerSecondRatio: number;
  readonly eventsPerCpuSecondRatio: number;
  readonly watcherCores: number;
}

export function probeOverhead(options: OverheadOptions): Promise<OverheadResult> {
  return withRobotBinary(async (binary) => {
    // Five minutes beyond what the rounds take; the robot is ended with the benchmark.
    const durationSeconds = options.rounds * (2 * options.seconds + 30) + 300;
    const args = ['-profile', 'demo', '-saturate', '-duration', `${durationSeconds}s`];
    await using robot = await Robot.start(binary, { gogc: options.gogc, args });
    await sleep(2000);
    const rounds: Round[] = [];
    for (let i = 0; i < options.rounds; i++) {
      // Who goes first changes, so that a drift of the machine does not favour one.
      const withoutFirst = i % 2 === 0 ? await measure(robot, options.seconds) : undefined;
      const watched = await measureWatched(robot, options.seconds);
      const round = { without: withoutFirst ?? (await measure(robot, options.seconds)), with: watched };
      rounds.push(round);
      options.say(
        `round ${i + 1} of ${options.rounds}: ${words(round.without)} without, ${words(round.with)} with the probe`,
      );
    }
    return summary(options, rounds);
  });
}

async function measure(robot: Robot, seconds: number): Promise<Throughput> {
  const before = await reading(robot);
  await sleep(seconds * 1000);
  const after = await reading(robot);
  const events = after.events - before.events;
  return {
    eventsPerSecond: events / (after.atSeconds - before.atSeconds),
    eventsPerCpuSecond: events / (after.cpuSeconds - before.cpuSeconds),
  };
}

async function measureWatched(robot: Robot, seconds: number): Promise<Round['with']> {
  await using watcher = await Watcher.start(robot.pid);
  await sleep(1500); // its own start is not what is measured
  const before = { cpuSeconds: await cpuOfTree(watcher.pid), cycles: watcher.cycles, stalls: watcher.assistStalls };
  const startMs = performance.now();
  const throughput = await measure(robot, seconds);
  const elapsed = (performance.now() - startMs) / 1000;
  return {
    ...throughput,
    watcherCores: ((await cpuOfTree(watcher.pid)) - before.cpuSeconds) / elapsed,
    gcCyclesPerSecond: (watcher.cycles - before.cycles) / elapsed,
    assistStallsPerSecond: (watcher.assistStalls - before.stalls) / elapsed,
  };
}

async function reading(robot: Robot): Promise<{ events: number; cpuSeconds: number; atSeconds: number }> {
  const { events } = await robot.stats();
  const cpuSeconds = (await usageOf(robot.pid))?.cpuSeconds ?? Number.NaN;
  return { events, cpuSeconds, atSeconds: performance.now() / 1000 };
}

async function cpuOfTree(pid: number): Promise<number> {
  return tree(await allUsages(), pid).reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
}

function summary({ gogc }: OverheadOptions, rounds: readonly Round[]): OverheadResult {
  const ratio = (pick: keyof Throughput): number =>
    median(rounds.map((round) => round.with[pick])) / median(rounds.map((round) => round.without[pick]));
  return {
    bench: 'probe-overhead',
    gogc,
    rounds,
    eventsPerSecondRatio: ratio('eventsPerSecond'),
    eventsPerCpuSecondRatio: ratio('eventsPerCpuSecond'),
    watcherCores: median(rounds.map((round) => round.with.watcherCores)),
  };
}

const words = ({ eventsPerSecond }: Throughput): string => `${Math.round(eventsPerSecond / 1000)}k events/s`;
