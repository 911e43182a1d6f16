/**
 * Bench `probe-overhead`: what being watched costs a robot, beside what bpftrace and the runtime's own gctrace cost it. In one run, by turns:
 * a saturated robot shows the throughput, one with the load of a real one the latency of its events, counted from when they were due.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Random, randomFrom } from '../support/fuzz/random.ts';
import { BpftraceObserver } from './bpftrace-observer.ts';
import { BenchError } from './errors.ts';
import { type Latencies, latenciesBetween } from './latency.ts';
import { nobody, type Observer } from './observer.ts';
import {
  type ComparedLatency,
  type ComparedThroughput,
  type Condition,
  compareLatency,
  compareThroughput,
  type OverheadRound,
  type OverheadTurn,
} from './overhead.ts';
import { Robot, type RobotOptions, type RobotStats, withRobotBinary } from './robot.ts';
import { SamplerObserver } from './sampler-observer.ts';
import { judge, type Verdict } from './statistics.ts';
import { thereAndBack } from './turns.ts';
import { allUsages, tree } from './usage.ts';

export interface OverheadOptions {
  readonly gogc: number;
  /** Of each of the two robots, and the length of each turn; none for one that is not asked about. */
  readonly throughput: Pace | null;
  readonly latency: Pace | null;
  readonly peers: boolean;
  readonly say: (sentence: string) => void;
}

export interface Pace {
  readonly rounds: number;
  readonly seconds: number;
}

export interface OverheadResult {
  readonly bench: 'probe-overhead';
  readonly gogc: number;
  readonly throughput: (Pace & { readonly compared: readonly ComparedThroughput[] }) | null;
  readonly latency: (Pace & { readonly compared: readonly ComparedLatency[] }) | null;
  readonly leastThroughputRatio: number;
  /** Of the product's throughput ratio; null when it was not asked about. */
  readonly verdict: Verdict | null;
  readonly rounds: { readonly throughput: readonly OverheadRound[]; readonly latency: readonly OverheadRound[] };
}

/** The promise: watched with everything attached, a robot keeps this much of its throughput. */
const leastThroughputRatio = 0.99;
/** Attached or let go a moment ago: not measured yet. */
const settleMs = 700;
/** Continued a moment ago: its caches are cold, and it has a backlog. As long for every condition as for the slowest to attach. */
const warmMs = 2_000;
/** Rounds until the robots are started anew: where a process happens to lie in memory is chance that lasts as long as the process. */
const roundsOfRobots = 4;

export function probeOverhead(options: OverheadOptions): Promise<OverheadResult> {
  const work = async (binary: string): Promise<OverheadResult> => {
    await using sampler = new SamplerObserver();
    await using bpftrace = options.peers ? await BpftraceObserver.of(binary) : nobody;
    const bench = { options, binary, random: randomFrom(Date.now()), sampler, bpftrace };
    const throughput = await rounds(bench, 'saturated', options.throughput);
    const latency = await rounds(bench, 'open loop', options.latency);
    return summary(options, { throughput, latency }, bench.random);
  };
  // bpftrace takes offsets only where it finds no symbols.
  return withRobotBinary(work, ['-ldflags=-s']);
}

interface Bench {
  readonly options: OverheadOptions;
  readonly binary: string;
  readonly random: Random;
  readonly sampler: Observer;
  readonly bpftrace: Observer;
}

type Load = 'saturated' | 'open loop';

/** The robots of one load: the runtime's trace cannot be switched on later. */
interface Robots {
  readonly plain: Robot;
  readonly traced: Robot | null;
}

async function rounds(bench: Bench, load: Load, pace: Pace | null): Promise<OverheadRound[]> {
  const done: OverheadRound[] = [];
  while (pace && done.length < pace.rounds) {
    const count = Math.min(roundsOfRobots, pace.rounds - done.length);
    await using plain = await startRobot(bench, load, {});
    await plain.rest();
    await using traced = bench.options.peers ? await startRobot(bench, load, { godebug: 'gctrace=1' }) : null;
    await traced?.rest();
    for (let i = 0; i < count; i++) {
      done.push(await round(bench, { plain, traced }, pace.seconds));
      bench.options.say(`${load}, round ${done.length} of ${pace.rounds}: ${words(done.at(-1) ?? [])}`);
    }
  }
  return done;
}

function startRobot({ binary, options }: Bench, load: Load, more: Pick<RobotOptions, 'godebug'>): Promise<Robot> {
  // It is ended with its rounds; the duration only has to be longer.
  const saturated = load === 'saturated' ? ['-saturate', '-duration', '24h'] : [];
  return Robot.start(binary, { gogc: options.gogc, args: ['-profile', 'demo', ...saturated], ...more });
}

async function round(bench: Bench, robots: Robots, seconds: number): Promise<OverheadRound> {
  const conditions: Condition[] = [
    'nothing',
    'robotgc',
    ...(bench.options.peers ? (['bpftrace', 'gctrace'] as const) : []),
  ];
  const turns: OverheadTurn[] = [];
  for (const condition of thereAndBack(conditions, bench.random))
    turns.push(await turn(bench, robots, condition, seconds));
  return turns;
}

async function turn(bench: Bench, robots: Robots, condition: Condition, seconds: number): Promise<OverheadTurn> {
  const robot = (condition === 'gctrace' && robots.traced) || robots.plain;
  const observer = { nothing: nobody, robotgc: bench.sampler, bpftrace: bench.bpftrace, gctrace: nobody }[condition];
  await robot.work();
  const warm = sleep(warmMs);
  await observer.begin(robot.pid);
  await Promise.all([warm, sleep(settleMs)]);
  const cpuBefore = await cpuSecondsOf(observer);
  const before = await robot.stats();
  await sleep(seconds * 1000);
  const after = await robot.stats();
  const observerCpuSeconds = (await cpuSecondsOf(observer)) - cpuBefore;
  const seen = await observer.end();
  await robot.rest();
  return { condition, ...between(before, after), observerCpuSeconds, seen };
}

function between(
  before: RobotStats,
  after: RobotStats,
): Omit<OverheadTurn, 'condition' | 'seen' | 'observerCpuSeconds'> {
  const latencies = ({ latencyBoundsNs, latencyCounts }: RobotStats): Latencies => ({
    boundsNs: latencyBoundsNs,
    counts: latencyCounts,
  });
  return {
    seconds: (after.uptimeNs - before.uptimeNs) / 1e9,
    cpuSeconds: (after.cpuNs - before.cpuNs) / 1e9,
    events: after.events - before.events,
    dropped: after.dropped - before.dropped,
    latencies: latenciesBetween(latencies(before), latencies(after)),
  };
}

async function cpuSecondsOf({ pids }: Observer): Promise<number> {
  if (pids.length === 0) return 0;
  const usages = await allUsages();
  return pids.flatMap((pid) => tree(usages, pid)).reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
}

function summary(
  { gogc, throughput, latency }: OverheadOptions,
  rounds: OverheadResult['rounds'],
  random: Random,
): OverheadResult {
  const comparedThroughput = throughput && compareThroughput(rounds.throughput, random);
  const comparedLatency = latency && compareLatency(rounds.latency, random);
  for (const { condition, observed } of [...(comparedThroughput ?? []), ...(comparedLatency ?? [])]) {
    if ((condition === 'robotgc' || condition === 'bpftrace') && observed.cyclesSeen === 0)
      throw new BenchError('NOTHING_TO_MEASURE', `${condition} has not seen a single cycle: give it longer --seconds`);
  }
  const ours = comparedThroughput?.find(({ condition }) => condition === 'robotgc');
  return {
    bench: 'probe-overhead',
    gogc,
    throughput: throughput && { ...throughput, compared: comparedThroughput ?? [] },
    latency: latency && { ...latency, compared: comparedLatency ?? [] },
    leastThroughputRatio,
    verdict: ours ? judge(ours.eventsPerSecondRatio, leastThroughputRatio) : null,
    rounds,
  };
}

function words(round: OverheadRound): string {
  return round
    .map(({ condition, events, seconds }) => `${condition} ${Math.round(events / seconds / 1000)}k/s`)
    .join(', ');
}
