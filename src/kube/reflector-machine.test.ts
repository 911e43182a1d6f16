import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  MUTE_PROBES,
  RETRY,
  type ReflectorEvent,
  type ReflectorState,
  STEADY_MS,
  transition,
} from './reflector-machine.ts';

const progress = { resourceVersion: '7', failures: 0, betrayed: false };
const open = { ...progress, openedAtMs: 0, quietProbes: 0 };
const states: ReflectorState[] = [
  { kind: 'idle' },
  { kind: 'listing', failures: 0, betrayed: false },
  { kind: 'dialing', ...progress },
  { kind: 'watching', ...open },
  { kind: 'doubting', ...open },
  { kind: 'waitingToList', failures: 1, betrayed: false, delayMs: 1 },
  { kind: 'waitingToDial', ...progress, delayMs: 1 },
  { kind: 'stopped' },
];
const events: ReflectorEvent[] = [
  { type: 'start' },
  { type: 'listed', resourceVersion: '9' },
  { type: 'listFailed' },
  { type: 'opened' },
  { type: 'progressed', resourceVersion: '9' },
  { type: 'silent' },
  { type: 'vouched', resourceVersion: '9' },
  { type: 'betrayed' },
  { type: 'closed', clean: false },
  { type: 'expired' },
  { type: 'due' },
  { type: 'stop' },
];

/** Where each event leads from each state, the clock standing at the watch's opening; a dot means nowhere. */
const expected: Record<ReflectorState['kind'], string[]> = {
  //              start      listed     listFailed       opened      progressed  silent      vouched     betrayed   closed           expired    due        stop
  idle: ['listing', '.', '.', '.', '.', '.', '.', '.', '.', '.', '.', 'stopped'],
  listing: ['.', 'dialing', 'waitingToList', '.', '.', '.', '.', '.', '.', '.', '.', 'stopped'],
  dialing: ['.', '.', '.', 'watching', '.', '.', '.', '.', 'waitingToDial', 'listing', '.', 'stopped'],
  watching: ['.', '.', '.', '.', 'watching', 'doubting', '.', '.', 'waitingToDial', 'listing', '.', 'stopped'],
  doubting: ['.', '.', '.', '.', 'watching', '.', 'watching', 'dialing', 'waitingToDial', 'listing', '.', 'stopped'],
  waitingToList: ['.', '.', '.', '.', '.', '.', '.', '.', '.', '.', 'listing', 'stopped'],
  waitingToDial: ['.', '.', '.', '.', '.', '.', '.', '.', '.', '.', 'dialing', 'stopped'],
  stopped: ['.', '.', '.', '.', '.', '.', '.', '.', '.', '.', '.', 'stopped'],
};

const at = { nowMs: 0, chance: 0 };

describe('the table (R14)', () => {
  for (const state of states) {
    test.each(events.map((event, index) => [event.type, event, expected[state.kind][index]] as const))(
      `${state.kind} on %s`,
      (_type, event, to) => {
        const next = transition(state, event, at);
        if (to === '.') expect(next).toBe(state);
        else expect(next.kind).toBe(to);
      },
    );
  }
});

describe('what is carried along', () => {
  const follow = (from: ReflectorState, ...path: (ReflectorEvent | number)[]): ReflectorState => {
    let nowMs = 0;
    let state = from;
    for (const step of path) {
      if (typeof step === 'number') nowMs += step;
      else state = transition(state, step, { nowMs, chance: 0 });
    }
    return state;
  };
  const idle: ReflectorState = { kind: 'idle' };
  const upTo = (nowMs: number): (ReflectorEvent | number)[] => [
    { type: 'start' },
    { type: 'listed', resourceVersion: '7' },
    { type: 'opened' },
    nowMs,
  ];

  test('the resource version of the list, of events, bookmarks and probes', () => {
    expect(follow(idle, ...upTo(0))).toMatchObject({ kind: 'watching', resourceVersion: '7' });
    expect(follow(idle, ...upTo(0), { type: 'progressed', resourceVersion: '8' })).toMatchObject({
      resourceVersion: '8',
    });
    expect(follow(idle, ...upTo(0), { type: 'progressed', resourceVersion: undefined })).toMatchObject({
      resourceVersion: '7',
    });
    expect(follow(idle, ...upTo(0), { type: 'silent' }, { type: 'vouched', resourceVersion: '9' })).toMatchObject({
      kind: 'watching',
      resourceVersion: '9',
    });
    expect(follow(idle, ...upTo(0), { type: 'closed', clean: false }, { type: 'due' })).toMatchObject({
      kind: 'dialing',
      resourceVersion: '7',
    });
  });

  test('a clean end after a steady life is followed by a dial at once, a hasty one by a wait', () => {
    expect(follow(idle, ...upTo(STEADY_MS), { type: 'closed', clean: true })).toMatchObject({
      kind: 'dialing',
      failures: 0,
    });
    expect(follow(idle, ...upTo(STEADY_MS - 1), { type: 'closed', clean: true })).toMatchObject({
      kind: 'waitingToDial',
      failures: 1,
    });
  });

  test('the first 410 lists at once, the second waits, until a watch has lasted', () => {
    const again: (ReflectorEvent | number)[] = [{ type: 'listed', resourceVersion: '9' }, { type: 'opened' }];
    expect(follow(idle, ...upTo(0), { type: 'expired' })).toMatchObject({ kind: 'listing' });
    expect(follow(idle, ...upTo(0), { type: 'expired' }, ...again, { type: 'expired' })).toMatchObject({
      kind: 'waitingToList',
      failures: 2,
    });
    expect(follow(idle, ...upTo(0), { type: 'expired' }, ...again, STEADY_MS, { type: 'expired' })).toMatchObject({
      kind: 'listing',
    });
  });

  test('three quiet probes without a bookmark dial anew; a bookmark between them starts the count over', () => {
    const quiet: ReflectorEvent[] = [{ type: 'silent' }, { type: 'vouched', resourceVersion: undefined }];
    expect(MUTE_PROBES).toBe(3);
    expect(follow(idle, ...upTo(0), ...quiet, ...quiet, ...quiet)).toMatchObject({
      kind: 'dialing',
      failures: 0,
      betrayed: false,
    });
    expect(
      follow(idle, ...upTo(0), ...quiet, ...quiet, { type: 'progressed', resourceVersion: '8' }, ...quiet),
    ).toMatchObject({ kind: 'watching', quietProbes: 1 });
  });

  test('two betrayals in a row list', () => {
    const betrayal: ReflectorEvent[] = [{ type: 'silent' }, { type: 'betrayed' }];
    expect(follow(idle, ...upTo(0), ...betrayal)).toMatchObject({ kind: 'dialing', betrayed: true });
    expect(follow(idle, ...upTo(0), ...betrayal, { type: 'opened' }, ...betrayal)).toMatchObject({
      kind: 'listing',
      betrayed: true,
    });
    expect(
      follow(
        idle,
        ...upTo(0),
        ...betrayal,
        { type: 'opened' },
        { type: 'progressed', resourceVersion: '8' },
        ...betrayal,
      ),
    ).toMatchObject({ kind: 'dialing' });
  });

  test("the server's wish for a pause is kept, also when it is longer than ours", () => {
    expect(follow(idle, { type: 'start' }, { type: 'listFailed', retryAfterMs: 90_000 })).toMatchObject({
      delayMs: 90_000,
    });
    expect(follow(idle, { type: 'start' }, { type: 'listFailed', retryAfterMs: 1 })).toMatchObject({
      delayMs: RETRY.baseMs,
    });
  });
});

test('any story: failures wait ever longer, never beyond the cap, and stop is final (R10, R14)', () => {
  const event = fc.constantFrom(...events.filter(({ type }) => type !== 'stop'));
  fc.assert(
    fc.property(
      fc.array(fc.record({ event, afterMs: fc.nat(60_000), chance: fc.double({ min: 0, max: 0.999, noNaN: true }) })),
      (story) => {
        let state: ReflectorState = { kind: 'idle' };
        let nowMs = 0;
        for (const { event, afterMs, chance } of story) {
          nowMs += afterMs;
          state = transition(state, event, { nowMs, chance });
          if (state.kind === 'waitingToList' || state.kind === 'waitingToDial') {
            expect(state.failures).toBeGreaterThan(0);
            const full = Math.min(RETRY.maxMs, RETRY.baseMs * 2 ** (state.failures - 1));
            expect(state.delayMs).toBeLessThanOrEqual(full);
            expect(state.delayMs).toBeGreaterThanOrEqual(full * (1 - RETRY.jitter));
          }
        }
        const stopped = transition(state, { type: 'stop' }, { nowMs, chance: 0 });
        expect(stopped).toEqual({ kind: 'stopped' });
        for (const late of events) expect(transition(stopped, late, at).kind).toBe('stopped');
      },
    ),
  );
});
