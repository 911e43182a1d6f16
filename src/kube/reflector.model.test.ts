import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ReflectorRig } from '../../test/support/reflector-rig.ts';
import { turns, until } from '../../test/support/until.ts';

/** What a cluster and a network may do, in any order. */
const names = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const deed = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('put' as const), name: names, size: fc.integer({ min: 0, max: 9 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('putMalformed' as const), name: names }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('delete' as const), name: names }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('recreate' as const), name: names }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('elapse' as const), seconds: fc.integer({ min: 1, max: 50 }) }) },
  fc.record({
    do: fc.constantFrom('settle', 'bookmark', 'endWatches', 'cutWatches', 'mute', 'compact', 'garbage', 'nameless'),
  }),
  fc.record({ do: fc.constant('errorEvent' as const), code: fc.constantFrom(410, 500, 504, 429) }),
  fc.record({
    do: fc.constant('refuse' as const),
    verb: fc.constantFrom('LIST' as const, 'WATCH' as const),
    code: fc.constantFrom(410, 429, 500, 503, 403),
    times: fc.integer({ min: 1, max: 3 }),
  }),
);
type Deed = typeof deed extends fc.Arbitrary<infer D> ? D : never;

async function act(rig: ReflectorRig, it: Deed): Promise<void> {
  const { fake } = rig;
  switch (it.do) {
    case 'put':
      fake.put(it.name, { size: it.size });
      return;
    case 'putMalformed':
      fake.put(it.name, { size: 'huge' });
      return;
    case 'delete':
      fake.delete(it.name);
      return;
    case 'recreate':
      fake.delete(it.name);
      fake.put(it.name, { size: 5 });
      return;
    case 'elapse':
      return await rig.elapse(it.seconds);
    case 'settle':
      return await turns(20);
    case 'bookmark':
      return fake.bookmark();
    case 'endWatches':
      return fake.endWatches();
    case 'cutWatches':
      return fake.cutWatches();
    case 'mute':
      return fake.muteWatches();
    case 'compact':
      return fake.compact();
    case 'garbage':
      return fake.sendLine('{"type":');
    case 'nameless':
      return fake.sendLine('{"type":"MODIFIED","object":{"metadata":{}}}');
    case 'errorEvent':
      return fake.sendError(it.code, it.code === 410 ? 'Expired' : 'InternalError');
    case 'refuse':
      return fake.refuse(it.verb, it.code, '', { times: it.times });
  }
}

test('whatever happens, the store ends up right, its changes tell the same story, and nobody is stormed (R1, R2, R10)', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(deed, { minLength: 1, maxLength: 30 }), async (deeds) => {
      await using rig = await ReflectorRig.start({ pageSize: 2, prepare: (fake) => fake.put('a', { size: 0 }) });
      for (const it of deeds) await act(rig, it);
      // From here on the server behaves; within three silences everything must be right, without any further event.
      rig.fake.faults.length = 0;
      await until('it agrees', async () => {
        if (rig.agrees() && rig.reflector.store.hasSynced()) return true;
        await rig.elapse(1);
        return false;
      });
      expect(rig.contradictions).toEqual([]);
      expect([...rig.replica.values()]).toEqual(expect.arrayContaining(rig.reflector.store.list()));
      expect(rig.replica.size).toBe(rig.reflector.store.size);
      // What a deed may cost at most: the list that follows it, or a refused one and its follower.
      expect(rig.reflector.status().lists).toBeLessThanOrEqual(1 + 3 * deeds.length);
      // A last error may still be waiting for its list; after that a server that behaves is left in peace.
      await rig.elapse(45);
      const { lists } = rig.reflector.status();
      rig.fake.requests.length = 0;
      await rig.elapse(60);
      expect(rig.reflector.status().lists).toBe(lists);
      expect(rig.fake.requests.length).toBeLessThanOrEqual(4);
    }),
    { numRuns: 40, endOnFailure: true },
  );
}, 120_000);
