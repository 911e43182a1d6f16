/** Bench `pauses`: what the probe saw of a busy robot against what its runtime counted, bucket by bucket. */
import { setTimeout as sleep } from 'node:timers/promises';
import { allEqual, type ComparedBucket, compare, countInto, countsBetween } from './buckets.ts';
import { BenchError } from './errors.ts';
import { type Books, Robot, withRobotBinary } from './robot.ts';
import { Watcher } from './watcher.ts';

export interface PausesOptions {
  readonly seconds: number;
  readonly gogc: number;
  readonly say: (sentence: string) => void;
}

export interface PausesResult {
  readonly bench: 'pauses';
  readonly goVersion: string;
  readonly seconds: number;
  readonly gogc: number;
  readonly cycles: { readonly runtime: number; readonly probe: number };
  readonly pauses: { readonly runtime: number; readonly probe: number };
  readonly lostEvents: number;
  readonly equal: boolean;
  readonly total: readonly ComparedBucket[];
  readonly stopping: readonly ComparedBucket[];
}

const total = '/sched/pauses/total/gc:seconds';
const stopping = '/sched/pauses/stopping/gc:seconds';
const cycles = '/gc/cycles/total:gc-cycles';
/** `stwReason` of mark and of sweep termination; others are no GC pauses for the runtime either. */
const gcReasons: ReadonlySet<number> = new Set([1, 2]);
/** How often during the run a goroutine is made not to stop, so that long pauses are compared too. */
const spins = 5;
const spinMs = 30;

export function pauses(options: PausesOptions): Promise<PausesResult> {
  return withRobotBinary(async (binary) => {
    await using robot = await Robot.start(binary, { gogc: options.gogc, args: ['-profile', 'demo'] });
    await robot.set({ paused: true });
    await using watcher = await Watcher.start(robot.pid);
    const before = await atRest(robot);
    const skipped = { pauses: watcher.pauses.length, cycles: watcher.cycles };
    options.say(`watching robot ${robot.pid} with GOGC=${options.gogc} for ${options.seconds} s`);
    await robot.set({ paused: false });
    for (let i = 0; i < spins; i++) {
      await sleep((options.seconds * 1000) / spins / 2);
      await robot.set({ spinMs });
      await sleep((options.seconds * 1000) / spins / 2);
    }
    await robot.set({ paused: true });
    const after = await atRest(robot);
    await watcher.stop();
    return result(options, before, after, watcher, skipped);
  });
}

/** What had been seen before the run. */
interface Skipped {
  readonly pauses: number;
  readonly cycles: number;
}

function result(options: PausesOptions, before: Books, after: Books, watcher: Watcher, skipped: Skipped): PausesResult {
  const seen = watcher.pauses.slice(skipped.pauses).filter(({ reason }) => gcReasons.has(reason));
  const compared = (name: typeof total | typeof stopping, durationsNs: number[]): ComparedBucket[] =>
    compare(
      after.metrics[name],
      countsBetween(before.metrics[name], after.metrics[name]),
      countInto(after.metrics[name], durationsNs),
    );
  const totals = compared(
    total,
    seen.map(({ totalNs }) => totalNs),
  );
  const stoppings = compared(
    stopping,
    seen.map(({ stoppingNs }) => stoppingNs ?? Number.NaN),
  );
  return {
    bench: 'pauses',
    goVersion: after.goVersion,
    seconds: options.seconds,
    gogc: options.gogc,
    cycles: { runtime: after.metrics[cycles] - before.metrics[cycles], probe: watcher.cycles - skipped.cycles },
    pauses: { runtime: totals.reduce((sum, { runtime }) => sum + runtime, 0), probe: seen.length },
    lostEvents: watcher.lostEvents,
    equal: allEqual(totals) && allEqual(stoppings) && seen.length > 0,
    total: totals,
    stopping: stoppings,
  };
}

/** The books of an idle robot: no collection is under way, and none was within the last second and a half. */
async function atRest(robot: Robot): Promise<Books> {
  const endMs = performance.now() + 60_000;
  let last = await robot.books();
  while (performance.now() < endMs) {
    await sleep(1500); // longer than a window of the watch
    const now = await robot.books();
    if (JSON.stringify(now.metrics) === JSON.stringify(last.metrics)) return now;
    last = now;
  }
  throw new BenchError('ROBOT_RESTLESS', 'the paused robot kept collecting for a minute');
}
