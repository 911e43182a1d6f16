/** Something that every cycle measures grows, goes on growing, and no growing number of robots explains it. */
import { kendallTau, median, type SignalWindow, type Slope, slopeOf, thin } from '../model/index.ts';
import type { Facts } from './evidence.ts';
import { killsIn } from './kills.ts';
import { slowsDown, type Worked } from './pace.ts';
import { mebibytes } from './words.ts';

/** Shorter growth is how every program starts. */
const MIN_SPAN_SECONDS = 120;
/** Where memory is at its end the program may not live for longer. */
const MIN_SPAN_IN_DANGER_SECONDS = 60;
const MIN_POINTS = 20;
const MAX_POINTS = 120;
/** Growth over the whole span, relative to its begin. */
const MIN_GROWTH = 0.25;
const CONSISTENT = 0.8;
/** Growth of robots that explains as much growth of what they need. */
const EXPLAINED_BY_ROBOTS = 0.5;

export interface Growth {
  readonly slope: Slope;
  readonly fromBytes: number;
  readonly toBytes: number;
  /** Over the whole span, relative to its begin. */
  readonly relative: number;
  /** Kendall's τ. */
  readonly tau: number;
  /** What every growth has as evidence. */
  readonly evidence: readonly string[];
}

/** @param bytesOf what the last cycle measured */
export function growthOf(
  { evidence: { windows }, recent, memoryOver }: Facts,
  name: string,
  bytesOf: (gc: NonNullable<SignalWindow['gc']>) => number,
): Growth | undefined {
  const isInDanger = memoryOver || killsIn(recent).count > 0;
  const leastSeconds = isInDanger ? MIN_SPAN_IN_DANGER_SECONDS : MIN_SPAN_SECONDS;
  const measured = measuredIn(windows);
  // One per window in which a cycle ended: it is known at its end only.
  const ended = thin(
    measured.filter(({ gc }) => gc.cycles > 0),
    MAX_POINTS,
  );
  const points = ended.map(({ endedAt, gc }) => ({ atSeconds: Date.parse(endedAt) / 1000, value: bytesOf(gc) }));
  const first = points[0];
  const last = points.at(-1);
  if (!first || !last || points.length < MIN_POINTS) return undefined;
  const spanSeconds = last.atSeconds - first.atSeconds;
  if (spanSeconds < leastSeconds) return undefined;
  const slope = slopeOf(points);
  if (slope === null) return undefined;
  const fromBytes = median(points.slice(0, 5).map((point) => point.value));
  const relative = fromBytes > 0 ? (slope.perSecond * spanSeconds) / fromBytes : 0;
  const half = points.slice(Math.floor(points.length / 2));
  const tau = kendallTau(points.map((point) => point.value));
  const lateTau = kendallTau(half.map((point) => point.value));
  const late = ((slopeOf(half)?.perSecond ?? 0) * spanSeconds) / 2 / Math.max(1, fromBytes);
  // A start-up or a ramp of load flattens in the second half; a leak does not.
  if (relative < MIN_GROWTH || tau < CONSISTENT || lateTau < CONSISTENT || late < relative / 4) return undefined;
  // Where memory is at its end, what fills up is as deadly as what leaks.
  if (!isInDanger && slowsDown({ points: measured, alike: ended, bytesOf: ({ gc }) => bytesOf(gc) })) return undefined;
  const robots = robotGrowth(windows);
  if (robots > relative * EXPLAINED_BY_ROBOTS) return undefined;
  return {
    slope,
    fromBytes,
    toBytes: last.value,
    relative,
    tau,
    evidence: [
      `${name} from ${mebibytes(fromBytes)} to ${mebibytes(last.value)} in ${Math.round(spanSeconds)} s`,
      `slope of it, with 95 % confidence, ${mebibytes(slope.low * 60)} to ${mebibytes(slope.high * 60)} a minute`,
      `Kendall τ ${tau.toFixed(2)} over ${points.length} points, ${lateTau.toFixed(2)} in the second half`,
      `active robots changed by ${Math.round(robots * 100)} % in that time`,
    ],
  };
}

interface Measured extends Worked {
  readonly gc: NonNullable<SignalWindow['gc']>;
}

function measuredIn(windows: readonly SignalWindow[]): Measured[] {
  return windows.flatMap(({ gc, endedAt, activeRobots }) =>
    gc ? [{ gc, endedAt, activeRobots, allocBytesPerSecond: gc.allocBytesPerSecond }] : [],
  );
}

function robotGrowth(windows: readonly SignalWindow[]): number {
  const known = windows.flatMap((window) => (window.activeRobots === null ? [] : [window.activeRobots]));
  const start = median(known.slice(0, 5));
  return start > 0 ? (median(known.slice(-5)) - start) / start : 0;
}
