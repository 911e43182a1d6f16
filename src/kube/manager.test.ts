import { describe, expect, test } from 'vitest';
import { FakeLeases } from '../../test/support/fake-leases.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { turns } from '../../test/support/until.ts';
import { LeaderElector } from './elector.ts';
import { silentLog } from './log.ts';
import { type Cache, type Controller, Manager, type ManagerOptions } from './manager.ts';
import { KeyedQueue } from './queue.ts';
import { ObjectStore } from './store.ts';
import { aborted } from './together.ts';

/** A manager of parts that write down what happens to them, on a clock that stands still. */
class Rig {
  readonly clock = new ManualClock();
  readonly story: string[] = [];
  readonly stop = new AbortController();
  readonly stores: ObjectStore<string>[] = [];
  readonly leases = new FakeLeases(this.clock);

  tell(line: string): void {
    this.story.push(line);
  }

  cache(plural: string): Cache {
    const store = new ObjectStore<string>(silentLog);
    this.stores.push(store);
    return {
      resource: { plural },
      store,
      run: async (signal) => {
        this.tell(`${plural} runs`);
        await aborted(signal);
        this.tell(`${plural} stops`);
      },
    };
  }

  controller(
    name: string,
    reconcile: Controller['reconcile'] = async () => {},
    rest: Partial<Controller> = {},
  ): Controller {
    const queue = new KeyedQueue({ name, clock: this.clock, random: () => 0 });
    return {
      name,
      queue,
      reconcile: async (key, signal) => {
        this.tell(`${name} takes ${key}`);
        return await reconcile(key, signal);
      },
      ...rest,
    };
  }

  elector(lose: () => 'nothing' | 'request' = () => 'nothing'): LeaderElector {
    return new LeaderElector({
      transport: this.leases.client(() => ({ requestMs: 1, answerMs: 1, lose: lose() })),
      namespace: 'x',
      name: 'x',
      identity: 'me',
      log: silentLog,
      clock: this.clock,
    });
  }

  start(options: Partial<ManagerOptions>): { manager: Manager; done: Promise<void> } {
    const manager = new Manager({ log: silentLog, clock: this.clock, reflectors: [], controllers: [], ...options });
    return { manager, done: manager.run(this.stop.signal) };
  }
}

test('controllers start only after every cache is synced (M1), and readiness says so (M3)', async () => {
  const rig = new Rig();
  const reflectors = [rig.cache('pods'), rig.cache('policies')];
  const controller = rig.controller('tuner');
  controller.queue.add('a');
  const { manager, done } = rig.start({ reflectors, controllers: [controller] });
  rig.stores[0]?.replace([]);
  await rig.clock.live(20_000);
  expect(rig.story).toEqual(['pods runs', 'policies runs']);
  expect(manager.ready()).toBe(false);
  expect(manager.alive()).toBe(true);
  rig.stores[1]?.replace([]);
  await turns();
  expect(manager.ready()).toBe(true);
  expect(rig.story.at(-1)).toBe('tuner takes a');
  rig.stop.abort();
  await turns();
  expect(manager.ready()).toBe(false);
  await rig.clock.live(2_000);
  await done;
  expect(rig.clock.pending).toBe(0);
});

test('alive is the beat of the loop (M3)', async () => {
  const rig = new Rig();
  const { manager, done } = rig.start({});
  await rig.clock.live(30_000);
  expect(manager.alive()).toBe(true);
  // Time passes and the loop does not turn.
  rig.stop.abort();
  await rig.clock.live(2_000);
  await done;
  rig.clock.advance(10_000);
  expect(manager.alive()).toBe(false);
});

describe('shutdown (M2)', () => {
  test('queues are drained, then leadership is released, then services and caches stop', async () => {
    const rig = new Rig();
    const elector = rig.elector();
    const work = Promise.withResolvers<void>();
    const controller = rig.controller('tuner', async () => {
      await work.promise;
      rig.tell(`tuner is done while ${rig.leases.history.at(-1)?.holderIdentity} leads`);
    });
    const services = [
      {
        name: 'api',
        run: async (signal: AbortSignal) => {
          await aborted(signal);
          rig.tell(`api stops while ${rig.leases.history.at(-1)?.holderIdentity || 'nobody'} leads`);
        },
      },
    ];
    const { done } = rig.start({ reflectors: [rig.cache('pods')], controllers: [controller], services, elector });
    rig.stores[0]?.replace([]);
    await rig.clock.live(100);
    for (const key of ['a', 'b']) controller.queue.add(key);
    rig.stop.abort();
    await turns();
    controller.queue.add('late');
    await rig.clock.live(3_000);
    expect(rig.story).toEqual(['pods runs', 'tuner takes a']);
    work.resolve();
    await rig.clock.live(3_000);
    await done;
    expect(rig.story.slice(1)).toEqual([
      'tuner takes a',
      'tuner is done while me leads',
      'tuner takes b',
      'tuner is done while me leads',
      'api stops while nobody leads',
      'pods stops',
    ]);
    expect(rig.leases.history.at(-1)).toMatchObject({ holderIdentity: '' });
    expect(rig.clock.pending).toBe(0);
  });

  test('work that ignores its signal holds the shutdown up to the deadline and no longer', async () => {
    const rig = new Rig();
    const controller = rig.controller('stuck', () => new Promise(() => {}));
    const { done } = rig.start({ controllers: [controller], shutdownMs: 5_000 });
    await turns();
    controller.queue.add('a');
    await turns();
    rig.stop.abort();
    let ended = false;
    const watched = done.then(() => {
      ended = true;
    });
    await rig.clock.live(4_900);
    expect(ended).toBe(false);
    await rig.clock.live(200);
    await watched;
  });

  test('handlers are told when the drain takes too long', async () => {
    const rig = new Rig();
    const controller = rig.controller('slow', async (_key, signal) => {
      await aborted(signal);
      rig.tell('slow was told');
    });
    const { done } = rig.start({ controllers: [controller], shutdownMs: 10_000 });
    await turns();
    controller.queue.add('a');
    await turns();
    rig.stop.abort();
    await rig.clock.live(10_000);
    await done;
    expect(rig.story).toEqual(['slow takes a', 'slow was told']);
  });
});

describe('failures (M4)', () => {
  test('a service that fails, or ends, ends the manager with that error after the rest has stopped', async () => {
    for (const [run, message] of [
      [() => Promise.reject(new Error('port in use')), 'port in use'],
      [() => Promise.resolve(), 'api ended although nobody stopped it'],
    ] as const) {
      const rig = new Rig();
      const { done } = rig.start({ reflectors: [rig.cache('pods')], services: [{ name: 'api', run }] });
      const failed = expect(done).rejects.toThrow(message);
      await rig.clock.live(2_000);
      await failed;
      expect(rig.story).toEqual(['pods runs', 'pods stops']);
      expect(rig.clock.pending).toBe(0);
    }
  });

  test("a reconcile that fails is tried again, and is nobody else's business", async () => {
    const rig = new Rig();
    let failures = 2;
    const controller = rig.controller('tuner', async (key) => {
      if (key === 'a' && failures-- > 0) throw new Error('not now');
    });
    const { manager, done } = rig.start({ controllers: [controller] });
    await turns();
    for (const key of ['a', 'b']) controller.queue.add(key);
    await rig.clock.live(5_000);
    expect(rig.story).toEqual(['tuner takes a', 'tuner takes b', 'tuner takes a', 'tuner takes a']);
    expect(manager.ready()).toBe(true);
    rig.stop.abort();
    await rig.clock.live(2_000);
    await done;
  });
});

test('leadership lost and won again: the controllers pause, and take up what came meanwhile', async () => {
  const rig = new Rig();
  let lose: 'nothing' | 'request' = 'nothing';
  const elector = rig.elector(() => lose);
  const leaderOnly = rig.controller('tuner');
  const always = rig.controller('watcher', undefined, { leaderOnly: false });
  const { done } = rig.start({ controllers: [leaderOnly, always], elector });
  await rig.clock.live(1_000);
  lose = 'request';
  await rig.clock.live(15_000);
  for (const { queue } of [leaderOnly, always]) queue.add('a');
  await rig.clock.live(5_000);
  expect(rig.story).toEqual(['watcher takes a']);
  lose = 'nothing';
  await rig.clock.live(10_000);
  expect(rig.story).toEqual(['watcher takes a', 'tuner takes a']);
  rig.stop.abort();
  await rig.clock.live(3_000);
  await done;
});
