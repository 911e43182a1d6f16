/** Shapes of load, each a small pure function of time. */
import { ALLOC_BYTES_PER_ROBOT_SECOND, BEAT_SHARE, LIVE_BYTES_PER_ROBOT, PROCESSORS } from './constants.ts';
import type { Load } from './load.ts';

const MIB = 2 ** 20;
const ROBOTS = 10_000;
const MINUTE = 60;
const HOUR = 3600;

export interface Shape {
  readonly name: string;
  readonly seconds: number;
  readonly memoryLimitBytes: number;
  /** @param aliveSeconds since the program was started: what leaks, leaks from then on */
  readonly load: (second: number, aliveSeconds: number) => Load;
}

/** @param more beside what each robot needs all the time */
function robots(active: number, more: Partial<Load> = {}): Load {
  const { reachableBytes = 0, allocBytesPerSecond = 0, ...other } = more;
  return {
    activeRobots: Math.round(active),
    reachableBytes: active * LIVE_BYTES_PER_ROBOT + reachableBytes,
    allocBytesPerSecond: active * ALLOC_BYTES_PER_ROBOT_SECOND + allocBytesPerSecond,
    beatShare: BEAT_SHARE,
    processors: PROCESSORS,
    nodePressure: 0,
    ...other,
  };
}

const steady: Shape = { name: 'steady', seconds: HOUR, memoryLimitBytes: 512 * MIB, load: () => robots(ROBOTS) };

/** From 4,000 at night to 16,000 at noon. */
const dailyWave: Shape = {
  name: 'daily wave',
  seconds: 24 * HOUR,
  memoryLimitBytes: 512 * MIB,
  load: (second) => robots(ROBOTS - 6_000 * Math.cos((2 * Math.PI * second) / (24 * HOUR))),
};

/** Four times the robots within half a minute, for twenty. */
const surge: Shape = {
  name: 'surge ×4',
  seconds: HOUR,
  memoryLimitBytes: 512 * MIB,
  load: (second) => robots(ROBOTS * (1 + 3 * rise(second, 10 * MINUTE, 30) - 3 * rise(second, 30 * MINUTE, 30))),
};

/** 64 KiB a second: the limit is full after two hours. */
const slowLeak: Shape = {
  name: 'slow leak',
  seconds: 3 * HOUR,
  memoryLimitBytes: 512 * MIB,
  load: (_, aliveSeconds) => robots(ROBOTS, { reachableBytes: aliveSeconds * 64 * 1024 }),
};

/** Each five minutes a catalogue is read for five seconds: 400 MiB a second, 60 MiB of it at a time. */
const burst: Shape = {
  name: 'burst allocation',
  seconds: HOUR,
  memoryLimitBytes: 512 * MIB,
  load: (second) =>
    second % (5 * MINUTE) < 5
      ? robots(ROBOTS, { reachableBytes: 60 * MIB, allocBytesPerSecond: 400 * MIB })
      : robots(ROBOTS),
};

/** Half as much again as what is alive. */
const tightLimit: Shape = {
  name: 'tight limit',
  seconds: HOUR,
  memoryLimitBytes: 128 * MIB,
  load: () => robots(ROBOTS),
};

/** For ten minutes somebody else on the node takes its memory and half of the processors. */
const neighbour: Shape = {
  name: 'neighbour pressure',
  seconds: HOUR,
  memoryLimitBytes: 512 * MIB,
  load: (second) =>
    second >= 20 * MINUTE && second < 30 * MINUTE
      ? robots(ROBOTS, { processors: PROCESSORS / 2, nodePressure: 0.3 })
      : robots(ROBOTS),
};

/** Each twenty minutes nine of ten robots lose their connection, and come back within twenty seconds: 100 KB for each handshake, 20 KB while it lasts. */
const connectionStorm: Shape = {
  name: 'connection storm',
  seconds: 2 * HOUR,
  memoryLimitBytes: 512 * MIB,
  load: (second) => {
    const since = (second % (20 * MINUTE)) - 10 * MINUTE;
    if (since < 0 || since >= 20) return robots(ROBOTS);
    const comingPerSecond = (0.9 * ROBOTS) / 20;
    return robots(ROBOTS * (0.1 + (0.9 * since) / 20), {
      reachableBytes: comingPerSecond * 20_000,
      allocBytesPerSecond: comingPerSecond * 100_000,
    });
  },
};

export const SHAPES: readonly Shape[] = [
  ...[steady, dailyWave, surge, slowLeak],
  ...[burst, tightLimit, neighbour, connectionStorm],
];

/** From 0 to 1 between `from` and as much later, all in the same unit. */
export function rise(at: number, from: number, within: number): number {
  return Math.min(1, Math.max(0, (at - from) / within));
}
