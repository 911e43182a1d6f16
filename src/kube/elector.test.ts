import { describe, expect, test } from 'vitest';
import { FakeLeases, type Passage } from '../../test/support/fake-leases.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { LeaderElector, type LeaderElectorOptions, LeadershipLost } from './elector.ts';
import { silentLog } from './log.ts';

const good: Passage = { requestMs: 1, answerMs: 1, lose: 'nothing' };
const lost: Passage = { ...good, lose: 'request' };

class Rig {
  readonly clock = new ManualClock();
  readonly leases = new FakeLeases(this.clock);

  elector(
    identity: string,
    passage: () => Passage = () => good,
    options: Partial<LeaderElectorOptions> = {},
  ): LeaderElector {
    return new LeaderElector({
      transport: this.leases.client(passage),
      namespace: 'default',
      name: 'lease',
      identity,
      log: silentLog,
      clock: this.clock,
      random: () => 0,
      ...options,
    });
  }

  live(ms: number): Promise<void> {
    return this.clock.live(ms);
  }
}

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));

describe('leading', () => {
  test('the right ends at the renew deadline, while a request still hangs (L3)', async () => {
    const rig = new Rig();
    let passage = good;
    const stop = new AbortController();
    const elector = rig.elector('a', () => passage);
    const reasons: unknown[] = [];
    const run = elector.run({
      signal: stop.signal,
      async lead(signal) {
        await untilAborted(signal);
        reasons.push(signal.reason);
      },
    });
    await rig.live(1_000);
    expect(elector.isLeader).toBe(true);
    passage = lost;
    await rig.live(8_800);
    expect(elector.isLeader).toBe(true);
    await rig.live(1_300);
    expect(elector.isLeader).toBe(false);
    expect(reasons).toEqual([expect.any(LeadershipLost)]);
    passage = good;
    await rig.live(6_000);
    expect(elector.isLeader).toBe(true);
    stop.abort();
    await rig.live(1_000);
    await run;
    expect(rig.clock.pending).toBe(0);
  });

  test('a clean shutdown waits for the work, renews meanwhile, then releases, and the next takes over at its next look (L4)', async () => {
    const rig = new Rig();
    const [stopA, stopB] = [new AbortController(), new AbortController()];
    const [a, b] = [rig.elector('a'), rig.elector('b')];
    const finish = Promise.withResolvers<void>();
    const runA = a.run({ signal: stopA.signal, lead: () => finish.promise });
    await rig.live(500);
    const runB = b.run({ signal: stopB.signal, lead: untilAborted });
    await rig.live(5_000);
    stopA.abort();
    await rig.live(30_000);
    expect([a.isLeader, b.isLeader]).toEqual([true, false]);
    finish.resolve();
    await rig.live(100);
    expect(rig.leases.history.at(-1)).toMatchObject({ holderIdentity: '' });
    await rig.live(2_100);
    expect([a.isLeader, b.isLeader]).toEqual([false, true]);
    expect(b.leader).toBe('b');
    stopB.abort();
    await rig.live(500);
    await Promise.all([runA, runB]);
    expect(rig.clock.pending).toBe(0);
  });

  test('work that ends, or fails, while leading releases, and the failure is passed on', async () => {
    const rig = new Rig();
    const done = rig.elector('a').run({ signal: new AbortController().signal, lead: async () => {} });
    await rig.live(500);
    await done;
    const failed = expect(
      rig.elector('b').run({ signal: new AbortController().signal, lead: () => Promise.reject(new Error('broken')) }),
    ).rejects.toThrow('broken');
    await rig.live(500);
    await failed;
    expect(rig.leases.history.map(({ holderIdentity }) => holderIdentity)).toEqual(['a', '', 'b', '']);
  });

  test('work that does not stop in time is reported', async () => {
    const rig = new Rig();
    let passage = good;
    let overruns = 0;
    const finish = Promise.withResolvers<void>();
    const stop = new AbortController();
    const run = rig
      .elector('a', () => passage, { onOverrun: () => overruns++ })
      .run({ signal: stop.signal, lead: () => finish.promise });
    await rig.live(500);
    passage = lost;
    await rig.live(13_000);
    expect(overruns).toBe(0);
    await rig.live(4_000);
    expect(overruns).toBe(1);
    finish.resolve();
    stop.abort();
    await rig.live(10_000);
    await run;
  });
});

describe('slow and lost answers', () => {
  test('the right counts from the sending of a renewal, not from its answer (L3)', async () => {
    const rig = new Rig();
    let passage = good;
    const elector = rig.elector('a', () => passage);
    const stop = new AbortController();
    const run = elector.run({ signal: stop.signal, lead: untilAborted });
    await rig.live(100);
    // The next renewal leaves after two seconds; its answer takes three.
    passage = { requestMs: 1, answerMs: 3_000, lose: 'nothing' };
    await rig.live(2_500);
    passage = lost;
    await rig.live(9_300);
    expect(elector.isLeader).toBe(true);
    await rig.live(500);
    expect(elector.isLeader).toBe(false);
    stop.abort();
    await rig.live(10_000);
    await run;
  });

  test('a renewal whose answer was lost costs nothing: the next look finds it', async () => {
    const rig = new Rig();
    let passage = good;
    // So tight that there is no time for another pause after the conflict.
    const elector = rig.elector('a', () => passage, { renewDeadlineMs: 8_000 });
    const stop = new AbortController();
    let reigns = 0;
    const lead = (signal: AbortSignal): Promise<void> => {
      reigns++;
      return untilAborted(signal);
    };
    const run = elector.run({ signal: stop.signal, lead });
    await rig.live(1_000);
    passage = { ...good, lose: 'answer' };
    await rig.live(2_000);
    passage = good;
    await rig.live(30_000);
    expect(elector.isLeader).toBe(true);
    expect(reigns).toBe(1);
    stop.abort();
    await rig.live(1_000);
    await run;
  });
});

describe('following', () => {
  test('the wall clock of the holder means nothing: only how long its record stands still (L2)', async () => {
    const rig = new Rig();
    const stop = new AbortController();
    // A record from long ago, and one from the future, are waited for alike.
    const old = rig.leases.client(() => good);
    const write = old.json({
      method: 'POST',
      path: '/lease',
      body: {
        metadata: {},
        spec: { holderIdentity: 'gone', leaseDurationSeconds: 15, renewTime: '1999-01-01T00:00:00.000000Z' },
      },
    });
    await rig.live(100);
    await write;
    const elector = rig.elector('a');
    const run = elector.run({ signal: stop.signal, lead: untilAborted });
    await rig.live(14_800);
    expect(elector.isLeader).toBe(false);
    expect(elector.leader).toBe('gone');
    await rig.live(2 * 2_200);
    expect(elector.isLeader).toBe(true);
    expect(rig.leases.history.at(-1)).toMatchObject({ leaseTransitions: 1 });
    stop.abort();
    await rig.live(500);
    await run;
  });

  test('times that cannot be safe are refused', () => {
    expect(() => new Rig().elector('a', undefined, { renewDeadlineMs: 15_000 })).toThrow('must hold');
  });
});
