import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { turns } from '../../test/support/until.ts';
import { KeyedQueue } from './queue.ts';

const BASE_MS = 100;
const MAX_MS = 1_000;

/** What a keyed queue is, said as plainly as possible: it looks at everything at every step. */
class Model {
  nowMs = 0;
  readonly ready: string[] = [];
  readonly processing: string[] = [];
  readonly dirty = new Set<string>();
  readonly delayed = new Map<string, number>();
  readonly failures = new Map<string, number>();
  readonly started: string[] = [];
  readonly concurrency: number;

  constructor(concurrency: number) {
    this.concurrency = concurrency;
  }

  add(key: string): void {
    if (this.processing.includes(key)) this.dirty.add(key);
    else if (!this.ready.includes(key)) this.ready.push(key);
    this.#start();
  }

  addAfter(key: string, delayMs: number): void {
    if (delayMs <= 0) this.add(key);
    else if (this.nowMs + delayMs < (this.delayed.get(key) ?? Number.POSITIVE_INFINITY)) {
      // To the end: of two that are due at one time, the one that was set first comes first.
      this.delayed.delete(key);
      this.delayed.set(key, this.nowMs + delayMs);
    }
  }

  advance(ms: number): void {
    const untilMs = this.nowMs + ms;
    for (;;) {
      const [first] = [...this.delayed].sort(([, a], [, b]) => a - b);
      if (first === undefined || first[1] > untilMs) break;
      this.nowMs = first[1];
      this.delayed.delete(first[0]);
      this.add(first[0]);
    }
    this.nowMs = untilMs;
  }

  finish(key: string, how: 'ok' | 'fail' | number): void {
    if (how === 'fail') {
      const failures = (this.failures.get(key) ?? 0) + 1;
      this.failures.set(key, failures);
      this.addAfter(key, Math.min(MAX_MS, BASE_MS * 2 ** (failures - 1)));
    } else {
      this.failures.delete(key);
      if (how !== 'ok') this.addAfter(key, how);
    }
    this.processing.splice(this.processing.indexOf(key), 1);
    if (this.dirty.delete(key)) this.ready.push(key);
    this.#start();
  }

  #start(): void {
    while (this.processing.length < this.concurrency) {
      const key = this.ready.shift();
      if (key === undefined) return;
      this.delayed.delete(key);
      this.processing.push(key);
      this.started.push(key);
    }
  }
}

const key = fc.constantFrom('a', 'b', 'c', 'd');
const step = fc.oneof(
  fc.record({ do: fc.constant('add' as const), key }),
  fc.record({ do: fc.constant('addAfter' as const), key, ms: fc.integer({ min: 0, max: 500 }) }),
  fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 600 }) }),
  fc.record({
    do: fc.constant('finish' as const),
    which: fc.nat(3),
    how: fc.oneof(fc.constant('ok' as const), fc.constant('fail' as const), fc.integer({ min: 1, max: 500 })),
  }),
);

test('any sequence of adds, delays, and ends does what the model does (Q1, Q2, Q3, Q4, Q5, Q6, Q7)', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 3 }), fc.array(step, { maxLength: 60 }), async (concurrency, steps) => {
      const clock = new ManualClock();
      const model = new Model(concurrency);
      const queue = new KeyedQueue({
        name: 'test',
        clock,
        random: () => 0,
        backoff: { baseMs: BASE_MS, maxMs: MAX_MS, jitter: 0.5 },
      });
      const running = new Map<string, (how: 'ok' | 'fail' | number) => void>();
      const started: string[] = [];
      const stop = new AbortController();
      const run = queue.run(
        async (key) => {
          expect(running.has(key)).toBe(false);
          started.push(key);
          const how = await new Promise<'ok' | 'fail' | number>((resolve) => running.set(key, resolve));
          running.delete(key);
          if (how === 'fail') throw new Error('as told');
          return typeof how === 'number' ? { requeueAfterMs: how } : undefined;
        },
        { concurrency, signal: stop.signal },
      );
      const finish = async (key: string, how: 'ok' | 'fail' | number): Promise<void> => {
        model.finish(key, how);
        running.get(key)?.(how);
        await turns(2);
      };
      const agree = (): void => {
        expect(started).toEqual(model.started);
        expect(running.size).toBe(model.processing.length);
        expect(queue.depth).toBe(model.ready.length);
        expect(clock.pending).toBe(model.delayed.size);
      };
      for (const it of steps) {
        const target =
          it.do === 'finish' ? model.processing[it.which % Math.max(1, model.processing.length)] : undefined;
        if (it.do === 'add') {
          model.add(it.key);
          queue.add(it.key);
        } else if (it.do === 'addAfter') {
          model.addAfter(it.key, it.ms);
          queue.addAfter(it.key, it.ms);
        } else if (it.do === 'advance') {
          model.advance(it.ms);
          clock.advance(it.ms);
        } else if (target !== undefined) {
          await finish(target, it.how);
        }
        agree();
      }
      // Nothing is lost: with every handler ending well, all that was added is handled, and the queue comes to rest.
      for (let key = model.processing[0]; key !== undefined || model.delayed.size > 0; key = model.processing[0]) {
        if (key === undefined) {
          model.advance(MAX_MS);
          clock.advance(MAX_MS);
        } else {
          await finish(key, 'ok');
        }
        agree();
      }
      expect(queue.depth).toBe(0);
      stop.abort();
      await run;
    }),
    { numRuns: 300 },
  );
}, 60_000);
