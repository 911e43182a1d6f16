/**
 * Growth that takes hours: of what is left alive at like traffic, by points of some minutes each. What grows with the load, or ever more slowly
 * (a warm-up, a cache that fills), is none.
 */
import { type HeapPoint, kendallTau, median, type Point, slopeOf } from '../model/index.ts';
import type { Growth } from './growth.ts';
import { keepsPace, slowsDown } from './pace.ts';
import { mebibytes } from './words.ts';

/** A program that has just started fills what it needs. */
const WARM_UP_SECONDS = 600;
const MIN_SPAN_SECONDS = 40 * 60;
const MIN_POINTS = 8;
/** Points whose load differs from that of the latest ones by so much at most are alike; allocation is noisier than a count. */
const LIKE_ROBOTS = 0.1;
const LIKE_ALLOCATION = 0.25;
/** Over the whole span: relative to its begin, and twice the least heap that the runtime keeps to. */
const MIN_GROWTH = 0.25;
const MIN_GROWTH_BYTES = 8 * 2 ** 20;
const CONSISTENT = 0.8;
/** Slope of the last third ÷ slope of the first: 1 of a leak, less of what fills up, whatever the noise. Of 1 − e^(−t/τ) it is below that once half is full. */
const STEADY = 0.75;
/** Growth of the load that explains as much growth of what it needs. */
const EXPLAINED_BY_LOAD = 0.5;
const LATEST = 3;
/** Two halves of so many points tell a pace that stays from one that falls. */
const MIN_POINTS_FOR_PACE = 16;

export function slowGrowthOf(
  points: readonly HeapPoint[],
  name: string,
  bytesOf: (point: HeapPoint) => number,
): Growth | undefined {
  const first = points[0];
  if (!first) return undefined;
  const warm = points.filter(({ endedAt }) => secondsOf(endedAt) - secondsOf(first.endedAt) >= WARM_UP_SECONDS);
  const later = warm.slice(Math.floor(warm.length / 2));
  const isNew = beganLate(warm, later, bytesOf) || isEven(later, bytesOf);
  return growthIn(warm, name, bytesOf) ?? (isNew ? growthIn(later, name, bytesOf) : undefined);
}

/** What is left once a cache beside it is full. */
function isEven(points: readonly HeapPoint[], bytesOf: (point: HeapPoint) => number): boolean {
  return points.length >= MIN_POINTS_FOR_PACE && keepsPace({ points, alike: atLikeLoad(points), bytesOf });
}

/** What fills up grew faster before. */
function beganLate(
  all: readonly HeapPoint[],
  later: readonly HeapPoint[],
  bytesOf: (point: HeapPoint) => number,
): boolean {
  const before = slopeOf(seriesOf(all.slice(0, all.length - later.length), bytesOf));
  const since = slopeOf(seriesOf(later, bytesOf));
  return before !== null && since !== null && since.perSecond > before.perSecond;
}

function growthIn(
  points: readonly HeapPoint[],
  name: string,
  bytesOf: (point: HeapPoint) => number,
): Growth | undefined {
  const alike = atLikeLoad(points);
  const series = seriesOf(alike, bytesOf);
  const [first, last] = [series[0], series.at(-1)];
  if (!first || !last || series.length < MIN_POINTS) return undefined;
  const spanSeconds = last.atSeconds - first.atSeconds;
  const slope = slopeOf(series);
  if (spanSeconds < MIN_SPAN_SECONDS || slope === null) return undefined;
  const [fromBytes, toBytes] = [series.slice(0, LATEST), series.slice(-LATEST)].map(medianOf);
  if (!fromBytes || toBytes === undefined) return undefined;
  const grownBytes = slope.perSecond * spanSeconds;
  const relative = grownBytes / fromBytes;
  const tau = kendallTau(series.map(({ value }) => value));
  if (relative < MIN_GROWTH || grownBytes < MIN_GROWTH_BYTES || tau < CONSISTENT) return undefined;
  const steadiness = steadinessOf(series);
  if (steadiness === undefined || steadiness < STEADY || slowsDown({ points, alike, bytesOf })) return undefined;
  const load = loadGrowth(alike);
  if (load > relative * EXPLAINED_BY_LOAD) return undefined;
  const perHour = (perSecond: number): string => mebibytes(perSecond * 3600);
  return {
    slope,
    fromBytes,
    toBytes,
    relative,
    tau,
    evidence: [
      `${name}, the least of some minutes each, from ${mebibytes(fromBytes)} to ${mebibytes(toBytes)} in ${Math.round(spanSeconds / 60)} min`,
      `slope of it, with 95 % confidence, ${perHour(slope.low)} to ${perHour(slope.high)} an hour; the last third grew ${steadiness.toFixed(2)} times as fast as the first`,
      `Kendall τ ${tau.toFixed(2)} over ${series.length} points of like traffic, of ${points.length}`,
      `traffic grew by ${Math.round(load * 100)} % in that time`,
    ],
  };
}

/** As the latest points have it: the same hour of another day tells, a wave's flank does not. */
function atLikeLoad(points: readonly HeapPoint[]): HeapPoint[] {
  const latest = points.slice(-LATEST);
  const robots = latest.flatMap(({ activeRobots }) => activeRobots ?? []);
  const robotsNow = median(robots);
  const allocationNow = median(latest.map(({ allocBytesPerSecond }) => allocBytesPerSecond));
  return points.filter(({ activeRobots, allocBytesPerSecond }) => {
    const hasLikeRobots =
      robots.length === 0 || (activeRobots !== null && isLike(activeRobots, robotsNow, LIKE_ROBOTS));
    return hasLikeRobots && isLike(allocBytesPerSecond, allocationNow, LIKE_ALLOCATION);
  });
}

function isLike(value: number, now: number, within: number): boolean {
  return Math.abs(value - now) <= within * now;
}

/** Undefined where the first or the last third has too few points for a slope, or there was no growth at first. */
function steadinessOf(series: readonly Point[]): number | undefined {
  const [begin = 0, end = 0] = [series[0]?.atSeconds, series.at(-1)?.atSeconds];
  const third = (end - begin) / 3;
  const early = slopeOf(series.filter(({ atSeconds }) => atSeconds <= begin + third));
  const late = slopeOf(series.filter(({ atSeconds }) => atSeconds >= end - third));
  if (!early || !late) return undefined;
  // What did not grow at first and does now has not slowed down.
  return early.perSecond > 0 ? late.perSecond / early.perSecond : Number(late.perSecond > 0);
}

/** Of robots where they are counted, else of what is allocated; the more of both. */
function loadGrowth(points: readonly HeapPoint[]): number {
  const growth = (of: (point: HeapPoint) => number | null): number => {
    const known = points.flatMap((point) => of(point) ?? []);
    const begin = median(known.slice(0, LATEST));
    return begin > 0 ? (median(known.slice(-LATEST)) - begin) / begin : 0;
  };
  return Math.max(
    growth(({ activeRobots }) => activeRobots),
    growth(({ allocBytesPerSecond }) => allocBytesPerSecond),
  );
}

function seriesOf(points: readonly HeapPoint[], bytesOf: (point: HeapPoint) => number): Point[] {
  return points.map((point) => ({ atSeconds: secondsOf(point.endedAt), value: bytesOf(point) }));
}

const medianOf = (series: readonly Point[]): number => median(series.map(({ value }) => value));
const secondsOf = (iso: string): number => Date.parse(iso) / 1000;
