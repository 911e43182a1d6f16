import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { KubeError } from './errors.ts';
import { cutNote } from './event-body.ts';
import { EventRecorder, type EventTarget } from './index.ts';
import { silentLog } from './log.ts';
import type { JsonRequest, Transport } from './transport.ts';

const pod = (name: string): EventTarget => ({
  apiVersion: 'v1',
  kind: 'Pod',
  namespace: 'robots',
  name,
  uid: `uid-${name}`,
});

/** A recorder on a clock that stands still, before a server that keeps what it is sent, or does what `answer` does. */
function rig(answer: (request: JsonRequest) => unknown = () => undefined) {
  const clock = new ManualClock();
  const sent: JsonRequest[] = [];
  let names = 0;
  const refuse = (): never => {
    throw new Error('only events are served here');
  };
  const transport: Transport = {
    server: 'fake',
    defaultNamespace: 'default',
    async json(request) {
      sent.push(request);
      await answer(request);
      return { metadata: { name: `event-${++names}`, namespace: 'robots', uid: 'u', resourceVersion: '1' } };
    },
    stream: refuse,
    portForward: refuse,
    close: async () => {},
  };
  const recorder = new EventRecorder({
    transport,
    reportingController: 'robotgc.dev/test',
    reportingInstance: 'here',
    log: silentLog,
    clock,
  });
  const posted = (): unknown[] => sent.filter(({ method }) => method === 'POST').map(({ body }) => body);
  const patched = (): unknown[] => sent.filter(({ method }) => method === 'PATCH').map(({ body }) => body);
  return { clock, sent, recorder, posted, patched };
}

describe('series (E2)', () => {
  test('the same again raises the count, at most every ten seconds', async () => {
    const { clock, recorder, posted, patched } = rig();
    for (let time = 0; time < 5; time++) {
      recorder.record(pod('a'), 'Warning', 'LatencyBreach', `time ${time}`);
      await clock.live(1_000);
    }
    expect(posted()).toMatchObject([
      { reason: 'LatencyBreach', action: 'LatencyBreach', type: 'Warning', note: 'time 0', regarding: { name: 'a' } },
    ]);
    expect(patched()).toEqual([]);
    await clock.live(6_000);
    expect(patched()).toEqual([{ series: { count: 5, lastObservedTime: expect.stringMatching(/\.\d{6}Z$/) } }]);
    await clock.live(60_000);
    expect(patched()).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  test('another object, reason or type is another event, and does not wait for the first', async () => {
    const { clock, recorder, posted } = rig();
    recorder.record(pod('a'), 'Normal', 'Captured', 'x');
    recorder.record(pod('a'), 'Normal', 'Captured', 'y');
    await clock.live(1_000);
    recorder.record(pod('b'), 'Normal', 'Captured', 'x');
    recorder.record(pod('a'), 'Warning', 'Captured', 'x');
    recorder.record(pod('a'), 'Normal', 'Resolved', 'x');
    await clock.live(100);
    expect(posted()).toHaveLength(4);
  });

  test('after six minutes it is a new event', async () => {
    const { clock, recorder, posted } = rig();
    recorder.record(pod('a'), 'Normal', 'Captured', 'x');
    await clock.live(6 * 60_000);
    recorder.record(pod('a'), 'Normal', 'Captured', 'x');
    await clock.live(100);
    expect(posted()).toHaveLength(2);
  });

  test('a series that the server has forgotten becomes an event again', async () => {
    let gone = true;
    const { clock, recorder, posted } = rig(({ method }) => {
      if (method === 'PATCH' && gone) {
        gone = false;
        throw new KubeError({ code: 'NotFound', call: 'PATCH', message: 'gone' });
      }
    });
    recorder.record(pod('a'), 'Normal', 'Captured', 'x');
    await clock.live(100);
    recorder.record(pod('a'), 'Normal', 'Captured', 'y');
    await clock.live(30_000);
    expect(posted()).toMatchObject([{ note: 'x' }, { note: 'y' }]);
    expect(recorder.dropped).toBe(0);
  });
});

describe('limits', () => {
  test('one noisy object is held back alone, and what it loses is counted (E3)', async () => {
    const { clock, recorder, posted } = rig();
    for (let reason = 0; reason < 40; reason++) recorder.record(pod('noisy'), 'Normal', `Reason${reason}`, 'x');
    recorder.record(pod('quiet'), 'Normal', 'Reason', 'x');
    await clock.live(1_000);
    expect(posted()).toHaveLength(25 + 1);
    expect(recorder.dropped).toBe(15);
    await clock.live(60_000);
    recorder.record(pod('noisy'), 'Normal', 'Later', 'x');
    await clock.live(100);
    expect(posted()).toHaveLength(27);
  });

  test('a server that refuses costs the event, and nothing else (E1)', async () => {
    const { clock, recorder, posted } = rig(({ body }) => {
      if (JSON.stringify(body).includes('Forbidden'))
        throw new KubeError({ code: 'Forbidden', call: 'POST', message: 'no' });
    });
    recorder.record(pod('a'), 'Normal', 'Forbidden', 'x');
    recorder.record(pod('a'), 'Normal', 'Allowed', 'x');
    await clock.live(100);
    expect(posted()).toHaveLength(2);
    expect(recorder.dropped).toBe(1);
  });

  test('a note is cut at 1 kB, never within a character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 600 }), (note) => {
        const cut = cutNote(note);
        expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(1024);
        if (Buffer.byteLength(note) <= 1024) expect(cut).toBe(note);
        else expect(note.startsWith(cut.slice(0, -1))).toBe(true);
      }),
    );
  });
});

describe('drain (E4)', () => {
  test('writes what waits, then takes no more', async () => {
    const { clock, recorder, posted, patched } = rig();
    recorder.record(pod('a'), 'Normal', 'Captured', 'x');
    await clock.live(100);
    recorder.record(pod('a'), 'Normal', 'Captured', 'y');
    recorder.record(pod('b'), 'Normal', 'Captured', 'z');
    expect(await recorder.drain(5_000)).toBe(true);
    expect(posted()).toHaveLength(2);
    expect(patched()).toMatchObject([{ series: { count: 2 } }]);
    recorder.record(pod('c'), 'Normal', 'Late', 'x');
    expect(recorder.dropped).toBe(1);
    expect(clock.pending).toBe(0);
  });

  test('gives up when its time is over', async () => {
    const { clock, recorder } = rig(
      ({ signal }) => new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason))),
    );
    recorder.record(pod('a'), 'Normal', 'Captured', 'x');
    const drained = recorder.drain(5_000);
    await clock.live(5_000);
    expect(await drained).toBe(false);
    expect(recorder.dropped).toBe(1);
    expect(clock.pending).toBe(0);
  });

  test('is at once done when there is nothing', async () => {
    expect(await rig().recorder.drain(1_000)).toBe(true);
  });
});
