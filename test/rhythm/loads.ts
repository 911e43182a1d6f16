/** Loads of the robot whose rhythm is known, because the flags set it: eleven of each kind. */
export interface Load {
  readonly kind: 'message' | 'stateMachine' | 'timer' | 'mixed';
  readonly name: string;
  readonly gogc: number;
  readonly args: readonly string[];
  /** At which the load recurs, where it does. Null: it does not, or several do. */
  readonly periodMs: number | null;
}

const gogcs = [100, 50, 200, 400, 25];

function load(
  kind: Load['kind'],
  index: number,
  args: readonly (string | number)[],
  periodMs: number | null = null,
): Load {
  const words = args.map(String);
  return { kind, name: words.join(' '), gogc: gogcs[index % gogcs.length] ?? 100, args: words, periodMs };
}

const messages = [900, 1_300, 2_000, 3_000, 4_000, 5_500, 8_000, 11_000, 15_000, 20_000, 30_000].map((rate, i) =>
  load('message', i, ['-mode', 'message', '-sessions', 200 + 400 * i, '-messages-per-second', rate]),
);

const steadyStates = [70, 130, 250, 500, 1_200, 3_000].map((rate, i) =>
  load('stateMachine', i, ['-mode', 'state', '-sessions', 500 + 500 * i, '-transitions-per-second', rate]),
);
const beats: readonly (readonly [rate: number, beatMs: number])[] = [
  [300, 100],
  [1_000, 100],
  [800, 50],
  [400, 200],
  [2_500, 20],
];
const states = [
  ...steadyStates,
  ...beats.map(([rate, beatMs], i) =>
    load('stateMachine', i, ['-mode', 'state', '-transitions-per-second', rate, '-bus-cycle', `${beatMs}ms`], beatMs),
  ),
];

/** The robot's timers turn on a wheel of ten slots of 10 ms. */
const timers = [200, 300, 450, 600, 800, 1_000, 1_500, 2_200, 3_300, 5_000, 8_000].map((sessions, i) =>
  load('timer', i, ['-mode', 'timer', '-sessions', sessions], 10),
);

/** Sessions in all (a third ticks), messages and transitions a second: no kind allocates more than two thirds. */
const mixtures: readonly (readonly [sessions: number, messages: number, transitions: number])[] = [
  [1_200, 3_000, 150],
  [1_500, 2_000, 200],
  [2_000, 5_000, 300],
  [2_500, 3_500, 350],
  [3_000, 3_000, 300],
  [3_000, 6_000, 400],
  [4_000, 4_000, 500],
  [5_000, 9_000, 600],
  [6_000, 10_000, 800],
  [900, 1_500, 100],
  [2_400, 8_000, 250],
];
const mixed = mixtures.map(([sessions, messagesPerSecond, transitions], i) =>
  load('mixed', i, [
    '-mode',
    'mixed',
    '-sessions',
    sessions,
    '-messages-per-second',
    messagesPerSecond,
    '-transitions-per-second',
    transitions,
  ]),
);

export const loads: readonly Load[] = [...messages, ...states, ...timers, ...mixed];
