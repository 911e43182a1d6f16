import { describe, expect, test } from 'vitest';
import { ReflectorRig } from '../../test/support/reflector-rig.ts';
import { until } from '../../test/support/until.ts';

const kinds = (rig: ReflectorRig): string[] => rig.changes.map(({ type, key }) => `${type} ${key}`);

describe('list and watch', () => {
  test('what is there, then what happens (R1)', async () => {
    await using rig = await ReflectorRig.start({ prepare: (fake) => fake.put('a', { size: 1 }) });
    await rig.watching();
    expect(rig.reflector.store.hasSynced()).toBe(true);
    rig.fake.put('b', { size: 2 });
    rig.fake.put('a', { size: 3 });
    rig.fake.delete('b');
    await until('the deletion arrives', () => kinds(rig).length === 4);
    expect(kinds(rig)).toEqual(['added robots/a', 'added robots/b', 'updated robots/a', 'deleted robots/b']);
    expect(rig.seen()).toEqual(['a=3']);
    expect(rig.reflector.store.byIndex('size', '3').map(({ metadata }) => metadata.name)).toEqual(['a']);
    expect(rig.reflector.store.byIndex('size', '1')).toEqual([]);
    expect([rig.fake.count('LIST'), rig.fake.count('WATCH')]).toEqual([1, 1]);
  });

  test('pages are asked for and put together; an expired token starts over (R12)', async () => {
    const sizes = Array.from({ length: 25 }, (_, index) => index);
    await using rig = await ReflectorRig.start({
      pageSize: 10,
      prepare: (fake) => {
        for (const size of sizes) fake.put(`w${size}`, { size });
        // The second page finds its token expired, once.
        fake.faults.push(() => {
          if (fake.count('LIST') === 2) fake.compact();
          return false;
        });
      },
    });
    await rig.watching();
    expect(rig.agrees()).toBe(true);
    expect(rig.fake.count('LIST')).toBe(2 + 3);
  });

  test('the watch asks for bookmarks, and its own end between five and ten minutes', async () => {
    await using rig = await ReflectorRig.start();
    await rig.watching();
    const query = rig.fake.requests.find(({ verb }) => verb === 'WATCH')?.query;
    expect(query?.get('allowWatchBookmarks')).toBe('true');
    expect(Number(query?.get('timeoutSeconds'))).toBeGreaterThanOrEqual(300);
    expect(Number(query?.get('timeoutSeconds'))).toBeLessThanOrEqual(600);
  });
});

describe('what a server may do to a watch', () => {
  test('a cut within a line: dialled anew from the same version, nothing lost, no list (R7)', async () => {
    await using rig = await ReflectorRig.start({ prepare: (fake) => fake.put('a', { size: 1 }) });
    await rig.watching();
    rig.fake.cutWatches();
    rig.fake.put('b', { size: 2 });
    await rig.eventually('the new watch brings what was missed', () => rig.agrees());
    expect([rig.fake.count('LIST'), rig.fake.count('WATCH')]).toEqual([1, 2]);
  });

  test('a time-out of the watch: dialled at once, and from the last bookmark', async () => {
    await using rig = await ReflectorRig.start();
    await rig.watching();
    rig.fake.put('b', { size: 2 });
    rig.fake.delete('b');
    rig.fake.bookmark();
    await until('the bookmark arrives', () => rig.reflector.status().resourceVersion === rig.fake.resourceVersion);
    await rig.elapse(20);
    rig.fake.endWatches();
    await until('a second watch', () => rig.fake.count('WATCH') === 2);
    expect(rig.fake.requests.at(-1)?.query.get('resourceVersion')).toBe(rig.fake.resourceVersion);
    expect(rig.fake.count('LIST')).toBe(1);
  });

  test.each(['answer', 'event'])('410 as %s: one list (R6)', async (how) => {
    await using rig = await ReflectorRig.start({ prepare: (fake) => fake.put('a', { size: 1 }) });
    await rig.watching();
    if (how === 'event') {
      rig.fake.sendError(410, 'Expired');
    } else {
      rig.fake.muteWatches();
      rig.fake.put('b', { size: 2 });
      rig.fake.delete('a');
      rig.fake.compact();
      rig.fake.endWatches();
    }
    await rig.eventually('the list sets it right', () => rig.fake.count('LIST') === 2 && rig.agrees());
    await rig.watching();
    await rig.elapse(30);
    expect(rig.fake.count('LIST')).toBe(2);
  });

  test('410 again and again is not answered with a storm of lists', async () => {
    await using rig = await ReflectorRig.start();
    await rig.watching();
    rig.fake.refuse('WATCH', 410, 'Expired', { times: 50 });
    rig.fake.endWatches();
    await rig.elapse(60);
    expect(rig.fake.count('LIST')).toBeLessThan(10);
  });

  test('an error event that is not 410: no list', async () => {
    await using rig = await ReflectorRig.start();
    await rig.watching();
    rig.fake.sendError(500, 'InternalError');
    await rig.eventually('a second watch', () => rig.fake.count('WATCH') === 2);
    expect(rig.fake.count('LIST')).toBe(1);
  });

  test('a line that is no event: a list', async () => {
    await using rig = await ReflectorRig.start({ prepare: (fake) => fake.put('a', { size: 1 }) });
    await rig.watching();
    rig.fake.sendLine('<html>proxy error</html>');
    await until('the list', () => rig.fake.count('LIST') === 2);
    await rig.watching();
    expect(rig.agrees()).toBe(true);
  });

  test('refused lists and watches are tried again, with the wait that the server asks for', async () => {
    await using rig = await ReflectorRig.start({
      prepare: (fake) => {
        fake.put('a', { size: 1 });
        fake.refuse('LIST', 500, 'InternalError');
        fake.refuse('LIST', 403, 'Forbidden');
        fake.refuse('WATCH', 429, 'TooManyRequests', { headers: { 'retry-after': '7' } });
      },
    });
    await until('the first wait', () => rig.reflector.status().state === 'waitingToList');
    await rig.eventually('the watch is refused', () => rig.reflector.status().state === 'waitingToDial');
    await rig.elapse(5);
    expect(rig.reflector.status().state).toBe('waitingToDial');
    await rig.elapse(3);
    await rig.watching();
    expect(rig.agrees()).toBe(true);
  });

  test('resource versions that go backwards: a list (R13)', async () => {
    await using rig = await ReflectorRig.start({ prepare: (fake) => fake.put('a', { size: 1 }) });
    await rig.watching();
    rig.fake.setBack(7);
    rig.fake.put('b', { size: 2 });
    await until('the list', () => rig.fake.count('LIST') === 2);
    await until('it agrees', () => rig.agrees());
  });

  test('a history set back in silence is found by the probes (R13)', async () => {
    await using rig = await ReflectorRig.start({ prepare: (fake) => fake.put('a', { size: 1 }) });
    await rig.watching();
    rig.fake.setBack(7);
    await rig.elapse(200);
    expect(rig.reflector.status().lists).toBe(2);
    rig.fake.put('b', { size: 2 });
    await until('it agrees', () => rig.agrees());
  });
});

describe('objects', () => {
  test('deleted and created anew while the watch was away: two changes (R4)', async () => {
    await using rig = await ReflectorRig.start({ prepare: (fake) => fake.put('a', { size: 1 }) });
    await rig.watching();
    rig.fake.muteWatches();
    rig.fake.delete('a');
    rig.fake.put('a', { size: 1 });
    rig.fake.compact();
    rig.fake.endWatches();
    await rig.eventually('the list', () => rig.changes.length === 3);
    expect(kinds(rig)).toEqual(['added robots/a', 'deleted robots/a', 'added robots/a']);
  });

  test('a malformed one is kept out, alone, and comes back (R5)', async () => {
    await using rig = await ReflectorRig.start({
      prepare: (fake) => {
        fake.put('good', { size: 1 });
        fake.put('bad', { size: 'huge' });
      },
    });
    await rig.watching();
    expect(rig.seen()).toEqual(['good=1']);
    expect([...rig.reflector.malformed().keys()]).toEqual(['robots/bad']);
    expect(rig.keptOut).toEqual([['robots/bad', expect.objectContaining({ size: 'huge' })]]);
    rig.fake.put('good', { size: 'broken' });
    rig.fake.sendLine('{"type":"ADDED","object":{"no":"metadata"}}');
    rig.fake.sendLine('{"type":"ADDED","object":null}');
    rig.fake.put('bad', { size: 2 });
    await until('the bad one is good now', () => rig.seen().includes('bad=2'));
    expect(rig.seen()).toEqual(['bad=2']);
    expect([...rig.reflector.malformed().keys()]).toEqual(['robots/good']);
    expect(rig.reflector.status().malformed).toBe(3);
    rig.fake.delete('good');
    await until('a deletion needs no parsing', () => rig.reflector.malformed().size === 0);
    expect([rig.fake.count('LIST'), rig.fake.count('WATCH')]).toEqual([1, 1]);
  });
});

describe('silence', () => {
  test('a watch that no longer brings anything is noticed within 60 s (R8)', async () => {
    await using rig = await ReflectorRig.start();
    await rig.watching();
    rig.fake.muteWatches();
    rig.fake.put('b', { size: 2 });
    await rig.elapse(60);
    expect(rig.agrees()).toBe(true);
    expect(rig.fake.count('LIST')).toBe(1);
    expect(rig.fake.count('WATCH')).toBe(3);
  });

  test('a server that answers nothing any more is noticed within 60 s (R8)', async () => {
    await using rig = await ReflectorRig.start();
    await rig.watching();
    const atMs = rig.clock.nowMs();
    // Taken, never answered.
    rig.fake.faults.push((verb) => verb === 'WATCH');
    rig.fake.muteWatches();
    await rig.elapse(60);
    const redials = rig.fake.requests.filter((request) => request.verb === 'WATCH' && request.atMs > atMs);
    expect(redials.length).toBe(2);
    await rig.watching();
  });

  test('a quiet but healthy watch: at most two requests a minute, no list, and still news at once (R9)', async () => {
    await using rig = await ReflectorRig.start();
    await rig.watching();
    rig.fake.requests.length = 0;
    for (let minute = 0; minute < 4; minute++) {
      await rig.elapse(60);
      rig.fake.bookmark();
    }
    expect(rig.fake.count('LIST')).toBe(0);
    expect(rig.fake.requests.length).toBeLessThanOrEqual(8);
    expect(rig.reflector.status().watches).toBe(1);
    rig.fake.put('b', { size: 2 });
    await until('news', () => rig.agrees());
  });

  test('without any bookmark it is dialled anew from time to time, from a version that the probes kept fresh', async () => {
    await using rig = await ReflectorRig.start();
    await rig.watching();
    rig.fake.requests.length = 0;
    await rig.elapse(290);
    expect(rig.reflector.status().watches).toBe(3);
    expect(rig.reflector.status().lists).toBe(1);
    expect(rig.fake.requests.length).toBeLessThanOrEqual(3 * 5);
  });

  test('where watches are swallowed for good, lists take over, once in a silence', async () => {
    await using rig = await ReflectorRig.start({
      prepare: (fake) => {
        fake.muteNew = true;
        fake.muteShort = false;
      },
    });
    await rig.watching();
    for (let minute = 0; minute < 5; minute++) {
      rig.fake.put(`w${minute}`, { size: minute });
      await rig.elapse(100);
      expect(rig.agrees()).toBe(true);
    }
    expect(rig.reflector.status().lists).toBeLessThan(12);
  });
});

describe('the end', () => {
  const moments: Record<string, (rig: ReflectorRig) => Promise<void>> = {
    'while it lists': (rig) => until('a request', () => rig.fake.requests.length > 0),
    'while it watches': (rig) => rig.watching(),
    async 'while it waits'(rig) {
      await rig.watching();
      rig.fake.cutWatches();
      await until('the wait', () => rig.reflector.status().state === 'waitingToDial');
    },
    async 'while a probe runs'(rig) {
      await rig.watching();
      rig.fake.muteWatches();
      await rig.elapse(35);
      expect(rig.reflector.status().state).toBe('doubting');
    },
  };
  test.each(Object.entries(moments))('%s: nothing is left (R11)', async (_when, prepare) => {
    await using rig = await ReflectorRig.start();
    await prepare(rig);
    await rig.stop();
    expect(rig.reflector.status().state).toBe('stopped');
    await until('no open watch', () => rig.fake.openWatches === 0);
    expect(rig.clock.pending).toBe(0);
    const before = rig.fake.requests.length;
    await rig.elapse(5);
    expect(rig.fake.requests.length).toBe(before);
  });

  test('before the start', async () => {
    await using rig = await ReflectorRig.start();
    await expect(rig.reflector.run(AbortSignal.abort())).rejects.toThrow('a reflector runs once');
  });
});
