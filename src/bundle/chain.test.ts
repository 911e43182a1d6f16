import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ChainLink, chainLink, verifyChain } from './chain.ts';
import { append, emptyChain, expired, removeKeys } from './chain-index.ts';
import type { ChainState } from './store.ts';

const digest = (index: number) => index.toString(16).padStart(64, '0');
const links = (count: number): ChainLink[] =>
  Array.from({ length: count }, (_, index) => ({
    name: `b${index}`,
    sha256: digest(index),
    previous: index === 0 ? null : digest(index - 1),
  }));
const codes = (result: ReturnType<typeof verifyChain>) => result.problems.map(({ code }) => code);
const last = (count: number) => digest(count - 1);

describe('verifyChain', () => {
  it('orders a whole chain, whatever order it comes in', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 20 }).chain((count) => fc.shuffledSubarray(links(count), { minLength: count })),
        (shuffled) => {
          const head = shuffled.length === 0 ? null : last(shuffled.length);
          const { ok, order, problems } = verifyChain(shuffled, { head });
          expect(problems).toEqual([]);
          expect(ok).toBe(true);
          expect(order).toEqual(links(shuffled.length));
        },
      ),
    );
  });

  it('shows any single bundle that is gone', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.nat(), (count, pick) => {
        const gone = pick % count;
        const rest = links(count).filter((_, index) => index !== gone);
        const result = verifyChain(rest, { head: last(count) });
        expect(result.ok).toBe(false);
        expect(codes(result)).toEqual([gone === count - 1 ? 'chain-incomplete' : 'chain-broken']);
      }),
    );
  });

  it('shows an altered bundle: the next one names another digest', () => {
    const chain = links(4);
    chain[1] = { name: 'b1', sha256: 'f'.repeat(64), previous: digest(0) };
    expect(codes(verifyChain(chain))).toEqual(['chain-broken']);
  });

  it('shows a bundle put in beside another, and a second beginning', () => {
    expect(codes(verifyChain([...links(3), { name: 'x', sha256: 'e'.repeat(64), previous: digest(1) }]))).toEqual([
      'chain-fork',
    ]);
    expect(codes(verifyChain([...links(2), { name: 'x', sha256: 'e'.repeat(64), previous: null }]))).toEqual([
      'chain-fork',
    ]);
  });

  it('ends on a cycle', () => {
    const cycle = [
      { name: 'a', sha256: digest(1), previous: digest(2) },
      { name: 'b', sha256: digest(2), previous: digest(1) },
    ];
    expect(verifyChain(cycle, { anchor: digest(1) }).order.length).toBeLessThanOrEqual(2);
    expect(verifyChain(cycle, { head: digest(9) }).ok).toBe(false);
  });

  it('takes only sealed bundles', () => {
    expect(chainLink('x', digest(1), { previous: null, seal: {} })).toEqual({
      name: 'x',
      sha256: digest(1),
      previous: null,
    });
    expect(() => chainLink('x', digest(1), { previous: null, seal: null })).toThrow(
      expect.objectContaining({ code: 'unsigned' }),
    );
  });
});

const startMs = Date.parse('2026-03-01T00:00:00Z');
const hourMs = 3_600_000;

/** A chain of `count` bundles, one an hour. */
function chainOf(count: number): ChainState {
  let state = emptyChain;
  for (let index = 0; index < count; index++) {
    const storedAt = new Date(startMs + index * hourMs).toISOString();
    state = append(state, {
      key: `ns/p/b${index}.tar.gz`,
      sha256: digest(index),
      sizeBytes: 1,
      previous: state.head,
      storedAt,
    });
  }
  return state;
}

const verifyState = (state: ChainState) =>
  verifyChain(
    state.bundles.map(({ key, sha256, previous }) => ({ name: key, sha256, previous })),
    {
      anchor: state.anchor?.sha256 ?? null,
      removed: state.removed,
      head: state.bundles.length > 0 ? state.head : null,
    },
  );

describe('chain index', () => {
  it('stays verifiable through any removals and additions', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.array(fc.array(fc.nat(15), { maxLength: 4 }), { maxLength: 5 }),
        (count, rounds) => {
          let state = chainOf(count);
          for (const removals of rounds) {
            state = removeKeys(
              state,
              new Set(removals.filter((index) => index < count - 1).map((index) => `ns/p/b${index}.tar.gz`)),
              '2026-03-02T00:00:00Z',
            );
            expect(verifyState(state).problems).toEqual([]);
            expect(verifyState(state).order.map(({ name }) => name)).toEqual(state.bundles.map(({ key }) => key));
          }
          expect(state.bundles.length + state.removed.length + (state.anchor?.removedCount ?? 0)).toBe(count);
        },
      ),
    );
  });

  it('shows a bundle that vanished without being removed', () => {
    const state = removeKeys(chainOf(6), new Set(['ns/p/b0.tar.gz', 'ns/p/b3.tar.gz']), '2026-03-02T00:00:00Z');
    expect(state.anchor).toMatchObject({ sha256: digest(0), removedCount: 1 });
    for (const missing of state.bundles) {
      expect(verifyState({ ...state, bundles: state.bundles.filter((bundle) => bundle !== missing) }).ok).toBe(false);
    }
  });

  it('refuses what does not follow the newest bundle, and a name that was used, also of a removed bundle', () => {
    const state = removeKeys(chainOf(3), new Set(['ns/p/b1.tar.gz']), '2026-03-02T00:00:00Z');
    const next = {
      key: 'ns/p/b3.tar.gz',
      sha256: digest(3),
      sizeBytes: 1,
      previous: digest(1),
      storedAt: '2026-03-02T00:00:00Z',
    };
    expect(() => append(state, next)).toThrow(expect.objectContaining({ code: 'chain-moved' }));
    for (const key of ['ns/p/b1.tar.gz', 'ns/p/b2.tar.gz']) {
      expect(() => append(state, { ...next, key, previous: digest(2) })).toThrow(
        expect.objectContaining({ code: 'key-taken' }),
      );
    }
    expect(append(state, { ...next, previous: digest(2) }).head).toBe(digest(3));
  });

  it.each<[string, number, { count?: number; ageMs?: number }, number, number]>([
    ['nothing without limits', 5, {}, 5, 0],
    ['what is beyond the count', 5, { count: 3 }, 5, 2],
    ['never the newest, even for count 0', 5, { count: 0 }, 5, 4],
    ['what is too old', 5, { ageMs: 2 * hourMs }, 5, 3],
    ['never the newest, however old', 5, { ageMs: hourMs }, 500, 4],
    ['by the stricter of both', 5, { count: 4, ageMs: 2 * hourMs }, 5, 3],
    ['nothing of an empty chain', 0, { count: 1, ageMs: 1 }, 5, 0],
    ['nothing of a chain of one', 1, { count: 1, ageMs: 1 }, 5, 0],
  ])('lets expire %s', (_what, bundles, keep, nowHours, count) => {
    const keys = expired(chainOf(bundles), keep, startMs + nowHours * hourMs);
    expect(keys).toEqual(Array.from({ length: count }, (_, index) => `ns/p/b${index}.tar.gz`));
  });
});
