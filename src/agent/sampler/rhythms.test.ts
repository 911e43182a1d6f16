import { describe, expect, it } from 'vitest';
import type { ControllerReader, Recorded } from '../../host/index.ts';
import type { Rhythm } from '../../model/index.ts';
import { Rhythms } from './rhythms.ts';

interface Rig {
  readonly rhythms: Rhythms;
  /** Lets time pass, second by second, with these targets; the books of `closed…` cannot be opened. */
  pass(seconds: number, keys: readonly string[]): Promise<void>;
  /** Keys of each round. */
  readonly rounds: string[][];
  readonly told: [string, Rhythm][];
  readonly open: Set<string>;
  readonly stop: AbortController;
}

function rig(recorded: (key: string) => Recorded = () => ({ kind: 'ended' })): Rig {
  let nowMs = 0;
  const rounds: string[][] = [];
  const told: [string, Rhythm][] = [];
  const open = new Set<string>();
  const stop = new AbortController();
  const keyOf = new Map<ControllerReader, string>();
  const rhythms = new Rhythms({
    record: async (readers) => {
      const keys = readers.map((reader) => keyOf.get(reader) ?? '');
      rounds.push(keys);
      expect([...open].sort()).toEqual([...keys].sort());
      return keys.map(recorded);
    },
    pace: { durationMs: 3_000, everyMs: 2 },
    nowMs: () => nowMs,
    tell: (key, rhythm) => told.push([key, rhythm]),
    signal: stop.signal,
  });
  const reader = (key: string): ControllerReader => {
    open.add(key);
    const close = (): void => void open.delete(key);
    const made: ControllerReader = {
      process: { pid: 1, startTicks: 1 },
      read: () => undefined,
      readHeap: () => undefined,
      readSizeClasses: () => undefined,
      readWork: () => undefined,
      readLimiter: () => undefined,
      close,
      [Symbol.dispose]: close,
    };
    keyOf.set(made, key);
    return made;
  };
  return {
    rhythms,
    rounds,
    told,
    open,
    stop,
    async pass(seconds, keys) {
      for (let second = 0; second < seconds; second++) {
        nowMs += 1_000;
        rhythms.offer(keys.map((key) => ({ key, open: () => (key.startsWith('closed') ? null : reader(key)) })));
        await rhythms.settled();
      }
    },
  };
}

const tooShort: Recorded = { kind: 'series', series: { samples: [], allocated: null } };

describe('looking for rhythms', () => {
  it('begins when a program has settled, and is repeated every five minutes', async () => {
    const { pass, rounds } = rig();
    await pass(5, ['a']);
    expect(rounds).toEqual([]);
    await pass(1, ['a']);
    expect(rounds).toEqual([['a']]);
    await pass(299, ['a']);
    expect(rounds).toHaveLength(1);
    await pass(601, ['a']);
    expect(rounds).toHaveLength(4);
  });

  it('takes a few at once, all in turn, those never seen before the others', async () => {
    const { pass, rounds } = rig();
    const many = Array.from({ length: 50 }, (_, index) => `t${index}`);
    await pass(6 + 600, many);
    expect(rounds.map((keys) => keys.length)).toEqual([20, 20, 20]);
    expect(new Set(rounds.flat()).size).toBe(50);
    await pass(300, [...many, 'new']);
    expect(rounds.at(-1)?.[0]).toBe('new');
  });

  it('tells what it found once, closes what it opened, and forgets what has gone', async () => {
    const { pass, rhythms, told, open } = rig(() => tooShort);
    await pass(400, ['a', 'closed']);
    expect(told.map(([key, { kind }]) => [key, kind])).toEqual([['a', 'unknown']]);
    expect(open.size).toBe(0);
    expect(rhythms.of('a')?.kind).toBe('unknown');
    expect(rhythms.of('closed')).toBeNull();
    await pass(1, []);
    expect(rhythms.of('a')).toBeNull();
  });

  it('says a defect to whom it asks next, and begins nothing after its end', async () => {
    const broken = rig(() => {
      throw new Error('a defect');
    });
    await broken.pass(6, ['a']);
    await expect(broken.pass(1, ['a'])).rejects.toThrow('a defect');
    expect(broken.open.size).toBe(0);
    const ended = rig();
    ended.stop.abort();
    await ended.pass(100, ['a']);
    expect(ended.rounds).toEqual([]);
  });
});
