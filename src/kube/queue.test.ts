import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { turns } from '../../test/support/until.ts';
import { KubeError } from './errors.ts';
import { type Handler, KeyedQueue, type KeyedQueueOptions } from './queue.ts';

/** A queue on a clock that stands still, and handlers that end when told. */
function rig(options: Partial<KeyedQueueOptions> = {}) {
  const clock = new ManualClock();
  const queue = new KeyedQueue({ name: 'test', clock, random: () => 0, ...options });
  const stop = new AbortController();
  const started: string[] = [];
  const ends = new Map<string, PromiseWithResolvers<void>>();
  const handler: Handler = (key) => {
    started.push(key);
    const end = Promise.withResolvers<void>();
    ends.set(key, end);
    return end.promise;
  };
  const end = async (key: string, error?: unknown): Promise<void> => {
    if (error === undefined) ends.get(key)?.resolve();
    else ends.get(key)?.reject(error);
    await turns(2);
  };
  return { clock, queue, stop, started, handler, end };
}

describe('retries (Q5)', () => {
  test('double up to the cap, less some by chance, and are forgotten after a success', async () => {
    const delays: number[] = [];
    const { clock, queue, stop, handler, end } = rig({
      random: () => 0.5,
      backoff: { baseMs: 100, maxMs: 1_000, jitter: 0.5 },
    });
    const run = queue.run(handler, { signal: stop.signal, onError: (_key, _error, ms) => delays.push(ms) });
    queue.add('a');
    for (let failure = 0; failure < 6; failure++) {
      await end('a', new Error('no'));
      clock.advance(1_000);
    }
    await end('a');
    queue.add('a');
    await end('a', new Error('no'));
    expect(delays).toEqual([75, 150, 300, 600, 750, 750, 75]);
    stop.abort();
    await run;
  });

  test("the server's wish wins when it is longer", async () => {
    const delays: number[] = [];
    const { queue, stop, handler, end } = rig();
    const run = queue.run(handler, { signal: stop.signal, onError: (_key, _error, ms) => delays.push(ms) });
    queue.add('a');
    await end(
      'a',
      new KubeError({ code: 'TooManyRequests', call: 'PATCH /x', message: 'slow down', retryAfterMs: 9_000 }),
    );
    expect(delays).toEqual([9_000]);
    stop.abort();
    await run;
  });

  test('a reporter that throws stops nothing', async () => {
    const { clock, queue, stop, started, handler, end } = rig();
    const onError = (): never => {
      throw new Error('the reporter is broken');
    };
    const run = queue.run(handler, { signal: stop.signal, onError });
    queue.add('a');
    await end('a', new Error('no'));
    clock.advance(1_000);
    expect(started).toEqual(['a', 'a']);
    stop.abort();
    await end('a');
    await run;
  });
});

describe('stopping (Q8)', () => {
  test('an abort starts nothing more, waits for what runs, leaves no timer; the next run takes up what was left', async () => {
    const { clock, queue, stop, started, handler, end } = rig();
    queue.add('a');
    queue.add('b');
    const run = queue.run(handler, { signal: stop.signal });
    queue.addAfter('c', 5_000);
    stop.abort();
    expect(clock.pending).toBe(0);
    let stopped = false;
    const watched = run.then(() => {
      stopped = true;
    });
    await turns();
    expect(stopped).toBe(false);
    await end('a', new Error('interrupted'));
    await watched;
    expect(started).toEqual(['a']);
    queue.addAfter('d', 5_000);
    expect(clock.pending).toBe(0);

    const again = new AbortController();
    const second = queue.run(handler, { signal: again.signal, concurrency: 9 });
    expect(new Set(started.slice(1))).toEqual(new Set(['a', 'b', 'c', 'd']));
    again.abort();
    for (const key of ['a', 'b', 'c', 'd']) await end(key);
    await second;
  });

  test('a drain finishes what is ready, drops what is delayed, takes nothing new, and ends the run', async () => {
    const { clock, queue, stop, started, handler, end } = rig();
    const run = queue.run(handler, { signal: stop.signal });
    for (const key of ['a', 'b']) queue.add(key);
    queue.addAfter('c', 100);
    const drained = queue.drain(1_000);
    queue.add('late');
    await end('a');
    await end('b');
    expect(await drained).toBe(true);
    await run;
    clock.advance(10_000);
    expect(started).toEqual(['a', 'b']);
    expect(clock.pending).toBe(0);
    await queue.run(handler, { signal: stop.signal });
    expect(started).toEqual(['a', 'b']);
  });

  test('a drain that takes too long says so, and starts nothing more', async () => {
    const { clock, queue, stop, started, handler, end } = rig();
    const run = queue.run(handler, { signal: stop.signal });
    for (const key of ['a', 'b']) queue.add(key);
    const drained = queue.drain(1_000);
    clock.advance(1_000);
    expect(await drained).toBe(false);
    await end('a');
    await run;
    expect(started).toEqual(['a']);
  });

  test('a queue that nobody runs drains at once', async () => {
    const { queue } = rig();
    queue.add('a');
    expect(await queue.drain(1_000)).toBe(true);
  });
});

test('ages and metrics tell how it is doing', async () => {
  const seen: string[] = [];
  const { clock, queue, stop, handler, end } = rig({
    metrics: {
      depth: (name, keys) => seen.push(`${name} depth ${keys}`),
      waited: (_name, seconds) => seen.push(`waited ${seconds}`),
      handled: (_name, outcome, seconds) => seen.push(`${outcome} ${seconds}`),
    },
  });
  queue.add('a');
  queue.add('b');
  clock.advance(2_000);
  expect([queue.depth, queue.oldestWaitMs, queue.longestRunMs]).toEqual([2, 2_000, 0]);
  const run = queue.run(handler, { signal: stop.signal });
  clock.advance(500);
  expect([queue.depth, queue.oldestWaitMs, queue.longestRunMs]).toEqual([1, 2_500, 500]);
  await end('a');
  expect(seen).toEqual([
    'test depth 1',
    'test depth 2',
    'test depth 1',
    'waited 2',
    'ok 0.5',
    'test depth 0',
    'waited 2.5',
  ]);
  stop.abort();
  await end('b');
  await run;
});

test('a second run at the same time is refused', async () => {
  const { queue, stop, handler } = rig();
  const run = queue.run(handler, { signal: stop.signal });
  await expect(queue.run(handler, { signal: stop.signal })).rejects.toThrow('runs already');
  stop.abort();
  await run;
});
