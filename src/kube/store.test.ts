import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { silentLog } from './log.ts';
import { type Change, type Entry, ObjectStore } from './store.ts';

interface Thing {
  readonly name: string;
  readonly size: number;
}
const entry = (name: string, size: number, uid = `uid-${name}`): Entry<Thing> => ({
  key: name,
  uid,
  resourceVersion: `${uid}/${size}`,
  object: { name, size },
});
const bySize = { size: ({ size }: Thing): string[] => [String(size)] };

function followed(): { store: ObjectStore<Thing>; told: string[] } {
  const store = new ObjectStore<Thing>(silentLog, bySize);
  const told: string[] = [];
  store.onChange(({ type, key, object }) => told.push(`${type} ${key}=${object.size}`));
  return { store, told };
}

describe('replace (R3)', () => {
  test('reports exactly the differences', () => {
    const { store, told } = followed();
    store.replace([entry('a', 1), entry('b', 1), entry('c', 1)]);
    told.length = 0;
    store.replace([entry('a', 1), entry('b', 2), entry('d', 1)]);
    expect(told).toEqual(['deleted c=1', 'updated b=2', 'added d=1']);
  });

  test('everything is in place before the first listener hears', () => {
    const { store } = followed();
    const sizes: number[] = [];
    store.onChange(() => sizes.push(store.size));
    store.replace([entry('a', 1), entry('b', 1), entry('c', 1)]);
    expect(sizes).toEqual([3, 3, 3]);
  });

  test('an object created anew is deleted, then added (R4)', () => {
    const { store, told } = followed();
    store.upsert(entry('a', 1, 'first'));
    store.replace([entry('a', 1, 'second')]);
    store.upsert(entry('a', 2, 'third'));
    expect(told).toEqual(['added a=1', 'deleted a=1', 'added a=1', 'deleted a=1', 'added a=2']);
  });
});

describe('listeners', () => {
  test('who comes late is told what is there', () => {
    const { store } = followed();
    store.upsert(entry('a', 1));
    const late: Change<Thing>[] = [];
    const stop = store.onChange((change) => late.push(change));
    expect(late).toEqual([{ type: 'added', key: 'a', object: { name: 'a', size: 1 } }]);
    stop();
    store.remove('a');
    expect(late).toHaveLength(1);
  });

  test('one that throws is logged, and the others hear all the same', () => {
    const errors: object[] = [];
    const store = new ObjectStore<Thing>({ ...silentLog, error: (fields) => errors.push(fields) });
    store.onChange(() => {
      throw new Error('broken');
    });
    const told: string[] = [];
    store.onChange(({ key }) => told.push(key));
    store.upsert(entry('a', 1));
    expect(told).toEqual(['a']);
    expect(errors).toMatchObject([{ key: 'a', change: 'added' }]);
  });
});

describe('synced', () => {
  test('from the first list on, also an empty one', async () => {
    const { store } = followed();
    const waiting = store.whenSynced(new AbortController().signal);
    store.upsert(entry('a', 1));
    expect(store.hasSynced()).toBe(false);
    store.replace([]);
    await waiting;
    await store.whenSynced(AbortSignal.abort());
    expect(store.hasSynced()).toBe(true);
  });

  test('waiting ends with the signal', async () => {
    const { store } = followed();
    const stop = new AbortController();
    const waiting = store.whenSynced(stop.signal);
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });
});

test('an index that was not declared is a mistake, not an empty answer', () => {
  expect(() => followed().store.byIndex('colour', 'red')).toThrow('declared: size');
});

test('any history: the indexes and a follower of the changes agree with the objects', () => {
  const name = fc.constantFrom('a', 'b', 'c');
  const some = fc
    .record({ name, size: fc.nat(2), life: fc.nat(1) })
    .map(({ name, size, life }) => entry(name, size, `${name}${life}`));
  const step = fc.oneof(
    some.map((entry) => ({ do: 'upsert' as const, entry })),
    name.map((key) => ({ do: 'remove' as const, key })),
    fc.uniqueArray(some, { selector: ({ key }) => key }).map((entries) => ({ do: 'replace' as const, entries })),
  );
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const store = new ObjectStore<Thing>(silentLog, bySize);
      const replica = new Map<string, Thing>();
      store.onChange(({ type, key, object }) => (type === 'deleted' ? replica.delete(key) : replica.set(key, object)));
      for (const it of steps) {
        if (it.do === 'upsert') store.upsert(it.entry);
        else if (it.do === 'remove') store.remove(it.key);
        else store.replace(it.entries);
        expect(new Set(store.list())).toEqual(new Set(replica.values()));
        for (const size of [0, 1, 2]) {
          expect(new Set(store.byIndex('size', String(size)))).toEqual(
            new Set(store.list().filter((thing) => thing.size === size)),
          );
        }
      }
    }),
  );
});
