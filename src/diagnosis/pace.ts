/**
 * Whether growth slows down, as that of a cache does while it fills: the more it holds, the fewer misses are left to fill it with. A leak goes
 * on as it did, by the clock or by the work that leaks, though the clock alone may show it slower while there is less to do. Pure.
 */
import { type Point, type Slope, slopeOf } from '../model/index.ts';

/** Pace of the second half ÷ of the first. Of 1 − e^(−t/τ) it is below that once a fifth is full. */
const SLOWER = 0.9;
/** As before, for all that noise lets one tell: of 1 − e^(−t/τ) it is below that before it is slower over twice the time. */
const EVEN = 0.95;

/** A stretch of time and what was to be done in it. */
export interface Worked {
  readonly endedAt: string;
  readonly allocBytesPerSecond: number;
  readonly activeRobots: number | null;
}

export interface Seen<P extends Worked> {
  /** All of them, at whatever load: work goes on between those that are compared. */
  readonly points: readonly P[];
  /** Those that are compared. */
  readonly alike: readonly P[];
  readonly bytesOf: (point: P) => number;
}

/** By every clock, and by more than noise explains: the 95 % intervals of the two paces do not meet. */
export function slowsDown<P extends Worked>(seen: Seen<P>): boolean {
  const paces = pacesOf(seen);
  return (
    paces.length > 0 &&
    paces.every(({ early, late }) => late.high < early.low && late.perSecond <= SLOWER * early.perSecond)
  );
}

/** By some clock. */
export function keepsPace<P extends Worked>(seen: Seen<P>): boolean {
  return pacesOf(seen).some(({ early, late }) => early.perSecond > 0 && late.perSecond >= EVEN * early.perSecond);
}

interface Paces {
  readonly early: Slope;
  readonly late: Slope;
}

function pacesOf<P extends Worked>({ points, alike, bytesOf }: Seen<P>): Paces[] {
  return clocksOf(points).flatMap((clock) => {
    const series = alike.map((point) => ({ atSeconds: clock.get(point) ?? 0, value: bytesOf(point) }));
    return halvesOf(series) ?? [];
  });
}

function halvesOf(series: readonly Point[]): Paces | undefined {
  const middle = ((series[0]?.atSeconds ?? 0) + (series.at(-1)?.atSeconds ?? 0)) / 2;
  const early = slopeOf(series.filter(({ atSeconds }) => atSeconds <= middle));
  const late = slopeOf(series.filter(({ atSeconds }) => atSeconds >= middle));
  return early && late ? { early, late } : undefined;
}

type Clock = ReadonlyMap<Worked, number>;
type Rate = (stretch: Worked) => number;

/** Seconds; of work at its mean rate: a second in which twice as much is done counts twice. */
function clocksOf(points: readonly Worked[]): Clock[] {
  const rates: (Rate | undefined)[] = [() => 1, ({ allocBytesPerSecond }) => allocBytesPerSecond, robotsOf(points)];
  return rates.flatMap((rateOf) => (rateOf && clockOf(points, rateOf)) ?? []);
}

function robotsOf(points: readonly Worked[]): Rate | undefined {
  const isCounted = points.every(({ activeRobots }) => activeRobots !== null);
  return isCounted ? ({ activeRobots }) => activeRobots ?? 0 : undefined;
}

function clockOf(points: readonly Worked[], rateOf: Rate): Clock | undefined {
  const mean = points.reduce((sum, point) => sum + rateOf(point), 0) / points.length;
  if (!(mean > 0)) return undefined;
  const clock = new Map<Worked, number>();
  let [atSeconds, lastMs]: [number, number | undefined] = [0, undefined];
  for (const point of points) {
    const endMs = Date.parse(point.endedAt);
    atSeconds += (((endMs - (lastMs ?? endMs)) / 1000) * rateOf(point)) / mean;
    clock.set(point, atSeconds);
    lastMs = endMs;
  }
  return clock;
}
