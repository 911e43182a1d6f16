/**
 * Heaps that grow, looked at every five minutes for a day or until the memory limit: which are told as slow leaks, and after which time.
 * `node test/diagnosis/growing.ts [programs of each kind]`; one line a kind and noise. Some minutes for 60.
 */
import { slowLeakOf } from '../../src/diagnosis/index.ts';
import { HeapHistory } from '../../src/model/index.ts';
import { syntheticWindow } from '../../src/model/testing.ts';

const MIB = 2 ** 20;
const HOURS = 24;
const programs = Number(process.argv[2] ?? 60);

/** Live heap in MiB by the hour. */
interface Program {
  readonly liveMib: (hour: number) => number;
  readonly limitMib: number;
  readonly allocMib?: (hour: number) => number;
}

/** Of what a program is made: base and size of its heap in MiB, time constant in hours, and chance. */
interface Drawn {
  readonly base: number;
  readonly size: number;
  readonly tau: number;
  readonly perHour: number;
  readonly chance: () => number;
}

const cacheLimit = ({ base, size, chance }: Drawn) => (base + size) * (1.2 + 2 * chance());
const leakLimit = ({ base, chance }: Drawn) => base * (2 + 8 * chance());

const kinds: Readonly<Record<string, (drawn: Drawn) => Program>> = {
  'cache, exponential': (drawn) => {
    const { base, size, tau } = drawn;
    return { liveMib: (hour) => base + size * (1 - Math.exp(-hour / tau)), limitMib: cacheLimit(drawn) };
  },
  'cache, by a power of time': (drawn) => {
    const { base, size, tau, chance } = drawn;
    const power = 0.5 + 0.35 * chance();
    return {
      liveMib: (hour) => base + size * Math.min(1, (hour / (3 * tau)) ** power),
      limitMib: cacheLimit(drawn),
    };
  },
  'cache, in a straight line': (drawn) => {
    const { base, size, tau } = drawn;
    return { liveMib: (hour) => base + size * Math.min(1, hour / tau), limitMib: cacheLimit(drawn) };
  },
  leak: (drawn) => ({ liveMib: (hour) => drawn.base + drawn.perHour * hour, limitMib: leakLimit(drawn) }),
  'leak, by a load that changes': (drawn) => {
    const period = between(1, 12, drawn.chance);
    return {
      liveMib: (hour) => drawn.base + drawn.perHour * (hour + 0.2 * period * Math.sin(hour / period)),
      allocMib: (hour) => 60 * (1 + 0.2 * Math.cos(hour / period)),
      limitMib: leakLimit(drawn),
    };
  },
  'leak beside a cache': (drawn) => {
    const { base, size, perHour, chance } = drawn;
    const tau = between(0.2, 2, chance);
    return {
      liveMib: (hour) => base + perHour * hour + size * (1 - Math.exp(-hour / tau)),
      limitMib: (base + size) * (2 + 8 * chance()),
    };
  },
};

/** Hours until it was told; undefined: never. */
function toldAfter({ liveMib, limitMib, allocMib }: Program, noiseMib: number, chance: () => number) {
  const history = new HeapHistory();
  for (let minute = 0; minute <= HOURS * 60; minute += 5) {
    const hour = minute / 60;
    if (liveMib(hour) >= limitMib) return undefined;
    const heapLiveBytes = (liveMib(hour) + noiseMib * (2 * chance() - 1)) * MIB;
    const gc = { heapLiveBytes, allocBytesPerSecond: (allocMib?.(hour) ?? 60) * MIB };
    history.observe({ ...syntheticWindow(minute * 60, { gc }), activeRobots: 5000 });
    if (slowLeakOf(history.points(), limitMib * MIB)) return hour;
  }
  return undefined;
}

for (const noise of [0.002, 0.01]) {
  for (const [kind, programOf] of Object.entries(kinds)) {
    const chance = chanceFrom(1);
    const told = Array.from({ length: programs }, () => {
      const base = between(50, 300, chance);
      const [size, perHour] = [base * between(0.5, 5, chance), base * between(0.3, 5, chance)];
      const program = programOf({ base, size, perHour, tau: between(0.2, 12, chance), chance });
      return toldAfter(program, noise * base, chance);
    });
    const hours = told.filter((hour) => hour !== undefined).sort((a, b) => a - b);
    const [median, last] = [hours[Math.floor(hours.length / 2)], hours.at(-1)].map((hour) => hour?.toFixed(2) ?? '–');
    console.log(
      `${kind}, noise ${noise * 100} %: ${hours.length} of ${programs} told, after ${median} h (median), ${last} h (last)`,
    );
  }
}

/** Even on a scale of factors. */
function between(least: number, most: number, chance: () => number): number {
  return least * (most / least) ** chance();
}

/** From 0 to 1, the same in each run (mulberry32). */
function chanceFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
