import { type BackoffPolicy, backoffMs } from './backoff.ts';

/**
 * The reflector's states and what each event makes of them, without any I/O: see SPEC.md. A state holds all that the next step needs:
 * `failures` in a row (R10), `betrayed`, that the last watch was found dead and none has moved on since, and `quietProbes` in a row.
 */
interface Progress {
  readonly resourceVersion: string;
  readonly failures: number;
  readonly betrayed: boolean;
}
interface Open extends Progress {
  readonly openedAtMs: number;
  readonly quietProbes: number;
}
export type ReflectorState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'listing'; readonly failures: number; readonly betrayed: boolean }
  | ({ readonly kind: 'dialing' } & Progress)
  | ({ readonly kind: 'watching' } & Open)
  | ({ readonly kind: 'doubting' } & Open)
  | { readonly kind: 'waitingToList'; readonly failures: number; readonly betrayed: boolean; readonly delayMs: number }
  | ({ readonly kind: 'waitingToDial'; readonly delayMs: number } & Progress)
  | { readonly kind: 'stopped' };

export type ReflectorEvent =
  | { readonly type: 'start' }
  | { readonly type: 'listed'; readonly resourceVersion: string }
  | { readonly type: 'listFailed'; readonly retryAfterMs?: number | undefined }
  | { readonly type: 'opened' }
  | { readonly type: 'progressed'; readonly resourceVersion: string | undefined }
  | { readonly type: 'silent' }
  | { readonly type: 'vouched'; readonly resourceVersion: string | undefined }
  | { readonly type: 'betrayed' }
  | { readonly type: 'closed'; readonly clean: boolean; readonly retryAfterMs?: number | undefined }
  | { readonly type: 'expired' }
  | { readonly type: 'due' }
  | { readonly type: 'stop' };

/** Where the outer world enters: the time, and one number from 0 up to, not including, 1. */
export interface Circumstances {
  readonly nowMs: number;
  readonly chance: number;
}

type Kind = ReflectorState['kind'];
type In<K extends Kind> = Extract<ReflectorState, { kind: K }>;
type On<E extends ReflectorEvent['type']> = Extract<ReflectorEvent, { type: E }>;
type Cell<K extends Kind, E extends ReflectorEvent['type']> = (
  state: In<K>,
  event: On<E>,
  at: Circumstances,
) => ReflectorState;
type Table = { readonly [K in Kind]: { readonly [E in ReflectorEvent['type']]: Cell<K, E> } };

export const RETRY: BackoffPolicy = { baseMs: 800, maxMs: 20_000, jitter: 0.5 };
/** A watch that lasted this long was healthy: what failed before it is forgotten. */
export const STEADY_MS = 10_000;
/** So many silences in a row without a bookmark or an event, and the watch is dialled anew though nothing was missed. */
export const MUTE_PROBES = 3;

const stay = (state: ReflectorState): ReflectorState => state;
const stopped = (): ReflectorState => ({ kind: 'stopped' });

function waitToList(failures: number, betrayed: boolean, at: Circumstances, retryAfterMs = 0): ReflectorState {
  const delayMs = Math.max(backoffMs(RETRY, failures, at.chance), retryAfterMs);
  return { kind: 'waitingToList', failures, betrayed, delayMs };
}

function waitToDial(
  { resourceVersion, betrayed }: Progress,
  failures: number,
  at: Circumstances,
  retryAfterMs = 0,
): ReflectorState {
  const delayMs = Math.max(backoffMs(RETRY, failures, at.chance), retryAfterMs);
  return { kind: 'waitingToDial', resourceVersion, betrayed, failures, delayMs };
}

function dial({ resourceVersion, betrayed, failures }: Progress): ReflectorState {
  return { kind: 'dialing', resourceVersion, betrayed, failures };
}

/** The first time at once; again and again only with back-off, or a server that answers everything with 410 would be stormed. */
function relist(failures: number, betrayed: boolean, at: Circumstances): ReflectorState {
  return failures === 0 ? { kind: 'listing', failures: 1, betrayed } : waitToList(failures + 1, betrayed, at);
}

function steadyFailures(state: Open, at: Circumstances): number {
  return at.nowMs - state.openedAtMs >= STEADY_MS ? 0 : state.failures;
}

const open = {
  start: stay,
  listed: stay,
  listFailed: stay,
  opened: stay,
  progressed: (state: Open, { resourceVersion }: On<'progressed'>): ReflectorState => ({
    kind: 'watching',
    openedAtMs: state.openedAtMs,
    failures: state.failures,
    resourceVersion: resourceVersion ?? state.resourceVersion,
    betrayed: false,
    quietProbes: 0,
  }),
  // Its own time-out after a healthy life is how a watch should end: the next follows at once.
  closed(state: Open, event: On<'closed'>, at: Circumstances): ReflectorState {
    const failures = steadyFailures(state, at);
    const healthyEnd = event.clean && at.nowMs - state.openedAtMs >= STEADY_MS;
    return healthyEnd ? dial({ ...state, failures }) : waitToDial(state, failures + 1, at, event.retryAfterMs);
  },
  expired: (state: Open, _event: On<'expired'>, at: Circumstances): ReflectorState =>
    relist(steadyFailures(state, at), state.betrayed, at),
  due: stay,
  stop: stopped,
};

const wait = {
  start: stay,
  listed: stay,
  listFailed: stay,
  opened: stay,
  progressed: stay,
  silent: stay,
  vouched: stay,
  betrayed: stay,
  closed: stay,
  expired: stay,
  stop: stopped,
};

const table: Table = {
  idle: { ...wait, start: () => ({ kind: 'listing', failures: 0, betrayed: false }), due: stay },
  listing: {
    ...wait,
    listed: (state, { resourceVersion }) => ({ ...state, kind: 'dialing', resourceVersion }),
    listFailed: (state, { retryAfterMs }, at) => waitToList(state.failures + 1, state.betrayed, at, retryAfterMs),
    due: stay,
  },
  dialing: {
    ...wait,
    opened: (state, _event, at) => ({ ...state, kind: 'watching', openedAtMs: at.nowMs, quietProbes: 0 }),
    closed: (state, { retryAfterMs }, at) => waitToDial(state, state.failures + 1, at, retryAfterMs),
    expired: (state, _event, at) => relist(state.failures, state.betrayed, at),
    due: stay,
  },
  watching: { ...open, silent: (state) => ({ ...state, kind: 'doubting' }), vouched: stay, betrayed: stay },
  doubting: {
    ...open,
    silent: stay,
    vouched(state, event) {
      const resourceVersion = event.resourceVersion ?? state.resourceVersion;
      const quietProbes = state.quietProbes + 1;
      if (quietProbes >= MUTE_PROBES) return dial({ ...state, resourceVersion });
      return { ...state, kind: 'watching', resourceVersion, quietProbes };
    },
    // Something between us and the server swallows watches, if this is the second in a row: then only a list moves on.
    betrayed: (state, _event, at) =>
      state.betrayed
        ? { kind: 'listing', failures: 1, betrayed: true }
        : dial({ ...state, failures: steadyFailures(state, at), betrayed: true }),
  },
  waitingToList: { ...wait, due: ({ failures, betrayed }) => ({ kind: 'listing', failures, betrayed }) },
  waitingToDial: { ...wait, due: (state) => dial(state) },
  stopped: { ...wait, due: stay },
};

/** The state that an event leads to; the same object where the event means nothing there. */
export function transition(state: ReflectorState, event: ReflectorEvent, at: Circumstances): ReflectorState {
  // The table is typed cell by cell; a lookup by two keys at once is beyond what the compiler follows.
  const cell = table[state.kind][event.type] as (
    state: ReflectorState,
    event: ReflectorEvent,
    at: Circumstances,
  ) => ReflectorState;
  return cell(state, event, at);
}
