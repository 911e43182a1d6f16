/**
 * The shapes of load of test/bench/control/shapes.ts for real robots: an eighth of the size, and compressed from hours to minutes, but never below
 * the time in which anything that looks once a second could answer. Pure.
 */
import { rise } from '../control/shapes.ts';

const MIB = 2 ** 20;

/** Sessions of a robot under a shape that says nothing else: an eighth of the demonstration's. */
export const ROBOTS = 1_250;
/** What a program uses beside its heap: the runtime's own, and what is counted to its container. */
const ROOM_BYTES = 8 * MIB;
/** In which those who lost their connection, or whose program began anew, have come back. */
const BACK_SECONDS = 20;
/** What they keep alive. */
const LIVE_BYTES = 11 * MIB;
/** Of messages and transitions a second, for each session: as in the demonstration. */
const MESSAGES = 0.4;
const TRANSITIONS = 0.25;

/** What PATCH /control takes; see test/robots/README.md. */
export interface RobotLoad {
  readonly sessions: number;
  readonly messagesPerSecond: number;
  readonly transitionsPerSecond: number;
  readonly heldBytes: number;
  readonly garbageBytesPerSecond: number;
  readonly leakBytesPerSecond: number;
}

export interface RobotShape {
  readonly name: string;
  /** How much longer than the others it takes. */
  readonly times: number;
  /** Sessions at which the formulas begin to grow. */
  readonly baseline: number;
  readonly memoryLimitBytes: number;
  /** @param of so many seconds in all */
  readonly load: (second: number, of: number) => RobotLoad;
  /** Whether somebody else on the node is busy. */
  readonly hasNeighbour?: (second: number, of: number) => boolean;
}

type Beside = Partial<Pick<RobotLoad, 'heldBytes' | 'garbageBytesPerSecond' | 'leakBytesPerSecond'>>;

function robots(active: number, beside: Beside = {}): RobotLoad {
  return {
    sessions: Math.round(active),
    messagesPerSecond: Math.round(MESSAGES * active),
    transitionsPerSecond: Math.round(TRANSITIONS * active),
    heldBytes: 0,
    garbageBytesPerSecond: 0,
    leakBytesPerSecond: 0,
    ...beside,
  };
}

const usual = { times: 1, baseline: ROBOTS, memoryLimitBytes: 64 * MIB + ROOM_BYTES };

const steady: RobotShape = { ...usual, name: 'steady', load: () => robots(ROBOTS) };

/** From 500 at night to 2,000 at noon. */
const dailyWave: RobotShape = {
  ...usual,
  name: 'daily wave',
  load: (second, of) => robots(ROBOTS * (1 - 0.6 * Math.cos((2 * Math.PI * second) / of))),
};

/**
 * Four times the robots within a fifth of the time, for a third. They begin with half, since all contenders surge at the same time on the same
 * processors.
 */
const surge: RobotShape = {
  ...usual,
  name: 'surge ×4',
  baseline: ROBOTS / 2,
  memoryLimitBytes: 32 * MIB + ROOM_BYTES,
  load: (second, of) =>
    robots((ROBOTS / 2) * (1 + 3 * rise(second / of, 0.2, 0.2) - 3 * rise(second / of, 0.73, 0.13))),
};

/** What leaks alone would fill the limit after two thirds of the time. */
const slowLeak: RobotShape = {
  ...usual,
  name: 'slow leak',
  times: 2,
  load: (second, of) => {
    const leakBytesPerSecond = second > 0 ? Math.round((64 * MIB - LIVE_BYTES) / ((2 / 3) * of)) : 0;
    return robots(ROBOTS, { leakBytesPerSecond });
  },
};

/** Each 45 s a catalogue is read for five seconds: 50 MiB a second, 7.5 MiB of it at a time. */
const burst: RobotShape = {
  ...usual,
  name: 'burst allocation',
  load: (second) =>
    second % 45 >= 20 && second % 45 < 25
      ? robots(ROBOTS, { heldBytes: 7.5 * MIB, garbageBytesPerSecond: 50 * MIB })
      : robots(ROBOTS),
};

/** Twice the robots, since of fewer the heap would be small beside everything else; two thirds more than is alive. */
const tightLimit: RobotShape = {
  ...usual,
  name: 'tight limit',
  baseline: 2 * ROBOTS,
  memoryLimitBytes: 32 * MIB + ROOM_BYTES,
  load: () => robots(2 * ROBOTS),
};

/** For a third of the time somebody else on the node keeps its processors busy and waits for its memory. */
const neighbour: RobotShape = {
  ...usual,
  name: 'neighbour pressure',
  load: () => robots(ROBOTS),
  hasNeighbour: (second, of) => second >= of / 3 && second < (2 * of) / 3,
};

/** Each minute nine of ten robots lose their connection, and come back within twenty seconds: 100 KB for each handshake, 20 KB while it lasts. */
const connectionStorm: RobotShape = {
  ...usual,
  name: 'connection storm',
  load: (second) => {
    const since = (second % 60) - 30;
    if (since < 0 || since >= BACK_SECONDS) return robots(ROBOTS);
    const comingPerSecond = (0.9 * ROBOTS) / BACK_SECONDS;
    return robots(ROBOTS * (0.1 + (0.9 * since) / BACK_SECONDS), {
      heldBytes: Math.round(comingPerSecond * 20_000),
      garbageBytesPerSecond: Math.round(comingPerSecond * 100_000),
    });
  },
};

export const ROBOT_SHAPES: readonly RobotShape[] = [
  ...[steady, dailyWave, surge, slowLeak],
  ...[burst, tightLimit, neighbour, connectionStorm],
];

/** What a program that has been up for so long has of it: its robots come back one after the other. */
export function soFar(load: RobotLoad, upSeconds: number): RobotLoad {
  const back = Math.min(1, (upSeconds + 1) / BACK_SECONDS);
  const { heldBytes, garbageBytesPerSecond, leakBytesPerSecond } = load;
  return robots(back * load.sessions, { heldBytes, garbageBytesPerSecond, leakBytesPerSecond });
}

/** Whether all robots are back. */
export const areAllBack = (upSeconds: number): boolean => upSeconds >= BACK_SECONDS;
