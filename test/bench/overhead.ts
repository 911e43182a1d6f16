/** What observers cost a robot, from turns that were measured with and without them. Pure. */
import type { Random } from '../support/fuzz/random.ts';
import { type Latencies, latencyQuantileNs, together } from './latency.ts';
import type { Seen } from './observer.ts';
import { bootstrap, type Estimate, median, typicalRatio } from './statistics.ts';

export type Condition = 'nothing' | 'robotgc' | 'bpftrace' | 'gctrace';

/** One measurement of some seconds. */
export interface OverheadTurn {
  readonly condition: Condition;
  readonly seconds: number;
  readonly events: number;
  /** Shed, because a mailbox was full. */
  readonly dropped: number;
  /** Of the robot. */
  readonly cpuSeconds: number;
  readonly latencies: Latencies;
  /** Of those who observe it. */
  readonly observerCpuSeconds: number;
  readonly seen: Seen;
}

/** All conditions, each twice. */
export type OverheadRound = readonly OverheadTurn[];

/** What one way of observing costs; ratios are with it ÷ with nothing, so 1 is free. */
export interface ComparedThroughput {
  readonly condition: Condition;
  readonly eventsPerSecond: number;
  readonly eventsPerSecondRatio: Estimate;
  /** Without what the observer takes from the machine: only what it does to the robot. */
  readonly eventsPerCpuSecondRatio: Estimate;
  readonly observed: Observed;
}

export interface ComparedLatency {
  readonly condition: Condition;
  /** The same for all, unless the machine was too busy for the schedule: then latency says nothing. */
  readonly eventsPerSecond: number;
  /** Of all rounds together. */
  readonly p50Ns: number;
  readonly p99Ns: number;
  readonly p99Ratio: Estimate;
  readonly dropped: number;
  readonly observed: Observed;
}

export interface Observed {
  /** Of the observer. */
  readonly cores: number;
  readonly cyclesSeen: number;
  readonly assistStallsSeen: number;
  readonly lostEvents: number;
}

export function compareThroughput(rounds: readonly OverheadRound[], random: Random): ComparedThroughput[] {
  const ratio = (condition: Condition, of: Rate): Estimate =>
    bootstrap(
      rounds.map((round) => rate(round, condition, of) / rate(round, 'nothing', of)),
      typicalRatio,
      random,
    );
  return conditionsOf(rounds).map((condition) => ({
    condition,
    eventsPerSecond: median(rounds.map((round) => rate(round, condition, perSecond))),
    eventsPerSecondRatio: ratio(condition, perSecond),
    eventsPerCpuSecondRatio: ratio(condition, perCpuSecond),
    observed: observed(rounds, condition),
  }));
}

export function compareLatency(rounds: readonly OverheadRound[], random: Random): ComparedLatency[] {
  const quantile = (among: readonly OverheadRound[], condition: Condition, share: number): number =>
    latencyQuantileNs(together(turnsOf(among, condition).map(({ latencies }) => latencies)), share);
  const p99Ratio = (among: readonly OverheadRound[], condition: Condition): number =>
    quantile(among, condition, 0.99) / quantile(among, 'nothing', 0.99);
  return conditionsOf(rounds).map((condition) => ({
    condition,
    eventsPerSecond: median(rounds.map((round) => rate(round, condition, perSecond))),
    p50Ns: quantile(rounds, condition, 0.5),
    p99Ns: quantile(rounds, condition, 0.99),
    p99Ratio: bootstrap(rounds, (among) => p99Ratio(among, condition), random),
    dropped: sum(turnsOf(rounds, condition), ({ dropped }) => dropped),
    observed: observed(rounds, condition),
  }));
}

type Rate = (turn: OverheadTurn) => number;
const perSecond: Rate = ({ seconds }) => seconds;
const perCpuSecond: Rate = ({ cpuSeconds }) => cpuSeconds;

function rate(round: OverheadRound, condition: Condition, of: Rate): number {
  const turns = turnsOf([round], condition);
  return sum(turns, ({ events }) => events) / sum(turns, of);
}

function observed(rounds: readonly OverheadRound[], condition: Condition): Observed {
  const turns = turnsOf(rounds, condition);
  return {
    cores: sum(turns, ({ observerCpuSeconds }) => observerCpuSeconds) / sum(turns, perSecond),
    cyclesSeen: sum(turns, ({ seen }) => seen.cycles),
    assistStallsSeen: sum(turns, ({ seen }) => seen.assistStalls),
    lostEvents: sum(turns, ({ seen }) => seen.lostEvents),
  };
}

const turnsOf = (rounds: readonly OverheadRound[], condition: Condition): OverheadTurn[] =>
  rounds.flat().filter((turn) => turn.condition === condition);

/** In the order of the type: nothing first. */
function conditionsOf(rounds: readonly OverheadRound[]): Condition[] {
  const measured = new Set(rounds.flat().map(({ condition }) => condition));
  return (['nothing', 'robotgc', 'bpftrace', 'gctrace'] as const).filter((condition) => measured.has(condition));
}

const sum = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((total, item) => total + of(item), 0);
