import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ActivityResult } from '../../host/index.ts';
import { ActivityPoller, isUnanswered, type Polled } from './activity-poller.ts';
import { CountingPace } from './counting-pace.ts';
import type { ActivitySource } from './types.ts';

const metric = { kind: 'metric', url: 'http://10.0.0.7:9090/metrics', name: 'robots' } as const;
const metricOf = (index: number) => ({ kind: 'metric', url: `http://10.0.1.${index}/`, name: 'robots' }) as const;
const asked = ({ url, name }: { url: string; name: string }) => ({ url, name, labels: undefined });
const connections: ActivitySource = { kind: 'connections', port: 8080 };
const polled = (key: string, activity: ActivitySource | null, pids = [7]): Polled => ({
  target: { key, activity },
  pids,
});
const refused: ActivityResult = { kind: 'failed', code: 'unreachable', message: 'nobody there' };

/** A poller whose clock is moved, and whose questions are answered, by hand. */
function rig() {
  let nowMs = 1000;
  const controller = new AbortController();
  const questions: { readonly of: unknown; readonly answer: (result: ActivityResult | Error) => Promise<void> }[] = [];
  const ask = (of: unknown): Promise<ActivityResult> => {
    const { promise, resolve, reject } = Promise.withResolvers<ActivityResult>();
    const answer = async (result: ActivityResult | Error): Promise<void> => {
      if (result instanceof Error) reject(result);
      else resolve(result);
      for (let i = 0; i < 5; i++) await Promise.resolve();
    };
    questions.push({ of, answer });
    return promise;
  };
  const poller = new ActivityPoller({
    scrape: ({ url, name, labels }) => ask({ url, name, labels }),
    countConnections: ({ pids, port }) => ask({ pids, port }),
    nowMs: () => nowMs,
    signal: controller.signal,
  });
  const pass = (ms: number): void => {
    nowMs += ms;
  };
  return { poller, questions, pass, abort: () => controller.abort() };
}

describe('polling of active robots', () => {
  test.each([
    ['a metric', metric, { url: 'http://10.0.0.7:9090/metrics', name: 'robots', labels: undefined }],
    ['connections', connections, { pids: [7], port: 8080 }],
  ])('%s: asked at once, never twice at a time', async (_, source, question) => {
    const { poller, questions, pass } = rig();
    const one = polled('a', source);
    poller.poll([one]);
    expect(questions.map(({ of }) => of)).toEqual([question]);
    const before = poller.reading(one.target);
    expect(before && isUnanswered(before)).toBe(true);
    pass(6000);
    poller.poll([one]);
    expect(questions).toHaveLength(1);
    await questions[0]?.answer({ kind: 'ok', value: 12 });
    expect(poller.reading(one.target)).toEqual({ kind: 'count', robots: 12 });
  });

  test('a failure is told when the last count is too old to stand for it, and an answer ends it', async () => {
    const { poller, questions, pass } = rig();
    const one = polled('a', metric);
    poller.poll([one]);
    await questions[0]?.answer({ kind: 'ok', value: 12 });
    pass(4999);
    poller.poll([one]);
    expect(questions).toHaveLength(1);
    pass(1);
    poller.poll([one]);
    await questions[1]?.answer(refused);
    expect(poller.reading(one.target)).toEqual({ kind: 'count', robots: 12 });
    pass(10_001);
    expect(poller.reading(one.target)).toEqual({ kind: 'unknown', reason: 'unreachable', message: 'nobody there' });
    poller.poll([one]);
    await questions[2]?.answer({ kind: 'ok', value: 0 });
    expect(poller.reading(one.target)).toEqual({ kind: 'count', robots: 0 });
    pass(15_001);
    expect(poller.reading(one.target)).toMatchObject({ reason: 'stale' });
  });

  test('a question that throws is one without an answer, and the next is asked', async () => {
    const { poller, questions, pass } = rig();
    const one = polled('a', metric);
    poller.poll([one]);
    await questions[0]?.answer(new TypeError('a defect'));
    expect(poller.reading(one.target)).toMatchObject({ kind: 'unknown', message: 'a defect' });
    pass(5000);
    poller.poll([one]);
    expect(questions).toHaveLength(2);
  });

  test('another source forgets what the former one said', async () => {
    const { poller, questions } = rig();
    poller.poll([polled('a', metric)]);
    await questions[0]?.answer({ kind: 'ok', value: 12 });
    const changed = polled('a', connections);
    expect(poller.reading(changed.target)).toMatchObject({ reason: 'unanswered' });
    poller.poll([changed]);
    expect(questions).toHaveLength(2);
    expect(poller.reading(changed.target)).toMatchObject({ reason: 'unanswered' });
  });

  test('nobody is asked for what is given, has no source, or is not watched', () => {
    const { poller, questions } = rig();
    const given = polled('a', { kind: 'given', activity: { kind: 'count', robots: 3 } });
    poller.poll([given, polled('b', null), polled('c', metric, [])]);
    expect(questions).toEqual([]);
    expect(poller.reading(given.target)).toEqual({ kind: 'count', robots: 3 });
    expect(poller.reading(polled('b', null).target)).toBeNull();
  });

  test('many targets that count connections take turns, the one that waited longest first', async () => {
    const { poller, questions, pass } = rig();
    const all = [1, 2, 3].map((pid) => polled(`c${pid}`, connections, [pid]));
    for (let i = 0; i < 9; i++) {
      poller.poll(all);
      expect(questions).toHaveLength(i + 1);
      pass(60);
      await questions[i]?.answer({ kind: 'ok', value: i });
      pass(5940);
    }
    expect(questions.map(({ of }) => of)).toEqual(
      [1, 2, 3, 1, 2, 3, 1, 2, 3].map((pid) => ({ pids: [pid], port: 8080 })),
    );
  });

  test('at most eight scrapes at a time, the next as soon as one is answered', async () => {
    const { poller, questions, pass } = rig();
    const all = Array.from({ length: 20 }, (_, index) => polled(`m${index}`, metric));
    poller.poll(all);
    for (let answered = 0; answered < 20; answered++) await questions[answered]?.answer({ kind: 'ok', value: 1 });
    expect(questions).toHaveLength(20);
    pass(5000);
    poller.poll(all);
    expect(questions).toHaveLength(28);
    await questions[20]?.answer(refused);
    expect(questions).toHaveLength(29);
  });

  test('however many do not answer in time, they and those that never answered leave half of the room to the others', async () => {
    const { poller, questions, pass } = rig();
    const prompt = Array.from({ length: 4 }, (_, index) => polled(`p${index}`, metric));
    poller.poll(prompt);
    for (const { answer } of questions) await answer({ kind: 'ok', value: 1 });
    const hanging = Array.from({ length: 20 }, (_, index) => polled(`h${index}`, metricOf(index)));
    poller.poll([...hanging, ...prompt]);
    expect(questions.slice(4)).toHaveLength(4);
    pass(5000);
    poller.poll([...hanging, ...prompt]);
    expect(questions.slice(8).map(({ of }) => of)).toEqual(prompt.map(() => asked(metric)));
    await questions[4]?.answer({ kind: 'failed', code: 'timeout', message: 'no answer' });
    expect(questions.slice(12).map(({ of }) => of)).toEqual([asked(metricOf(4))]);
  });

  test('nobody is asked any more who is not named any more, or when all is called off', async () => {
    const { poller, questions, abort } = rig();
    const all = Array.from({ length: 6 }, (_, index) => polled(`m${index}`, metric));
    poller.poll(all);
    poller.poll(all.slice(0, 5));
    await questions[0]?.answer({ kind: 'ok', value: 1 });
    expect(questions).toHaveLength(5);
    await questions[1]?.answer({ kind: 'ok', value: 1 });
    expect(questions).toHaveLength(5);
    poller.poll(all);
    abort();
    await questions[2]?.answer({ kind: 'ok', value: 1 });
    expect(questions).toHaveLength(6);
  });
});

describe('the pace of counting', () => {
  test('work never takes more than one hundredth of the time, whatever each count takes', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 5000 }), { minLength: 1, maxLength: 50 }), (durations) => {
        const pace = new CountingPace();
        let nowMs = 0;
        let workedMs = 0;
        for (const duration of durations) {
          while (!pace.begin(nowMs)) nowMs += 100;
          expect(workedMs).toBeLessThanOrEqual(nowMs / 100);
          expect(pace.begin(nowMs)).toBe(false);
          nowMs += duration;
          workedMs += duration;
          pace.end(nowMs);
        }
      }),
      { numRuns: 20 },
    );
  });
});
