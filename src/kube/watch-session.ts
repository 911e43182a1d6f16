import type { Clock } from './clock.ts';
import { isKubeError } from './errors.ts';
import type { Log } from './log.ts';
import { probe } from './probe.ts';
import { MUTE_PROBES, type ReflectorEvent, type ReflectorState } from './reflector-machine.ts';
import { collectionPath, type Resource } from './resource.ts';
import type { Query, Transport } from './transport.ts';
import { identityOf, parseWatchLine, type WatchEvent, wentBack } from './watch-event.ts';

/** Silence after which the open watch is doubted; with the probe's time it stays under 60 s. */
export const SILENCE_MS = 32_000;
const SILENCE_JITTER = 0.1;
const MIN_WATCH_SECONDS = 300;

export interface WatchSessionOptions {
  readonly transport: Transport;
  readonly resource: Resource<unknown>;
  readonly namespace: string | undefined;
  readonly selectors: Query;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly what: object;
  readonly state: () => ReflectorState;
  readonly dispatch: (event: ReflectorEvent) => void;
  readonly onUpsert: (raw: unknown) => void;
  readonly onDelete: (raw: unknown) => void;
  readonly onProbe: () => void;
}

/** One watch from dialling to its end, with the timer for its silence and the probe that follows. It feeds the state machine. */
export class WatchSession {
  readonly #options: WatchSessionOptions;
  readonly #call: string;
  readonly #cut = new AbortController();
  #cancelSilence: () => void = () => {};
  #probing: { readonly done: Promise<void>; readonly cancel: AbortController } | undefined;

  constructor(options: WatchSessionOptions) {
    this.#options = options;
    this.#call = `WATCH ${collectionPath(options.resource, options.namespace)}`;
  }

  /** Resolves when nothing of the session is left; the last event has been dispatched then. */
  async run(resourceVersion: string, signal: AbortSignal): Promise<void> {
    const onAbort = (): void => this.#cut.abort(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      this.#finish(await this.#read(resourceVersion));
    } catch (error) {
      this.#finish(this.#endedBy(error));
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#cancelSilence();
      this.#probing?.cancel.abort();
      await this.#probing?.done;
    }
  }

  async #read(resourceVersion: string): Promise<ReflectorEvent> {
    const { transport, resource, namespace, selectors, dispatch, random } = this.#options;
    const query: Query = {
      ...selectors,
      watch: true,
      allowWatchBookmarks: true,
      resourceVersion,
      timeoutSeconds: Math.round(MIN_WATCH_SECONDS * (1 + random())),
    };
    const onOpen = (): void => {
      dispatch({ type: 'opened' });
      this.#armSilence();
    };
    for await (const line of transport.stream(collectionPath(resource, namespace), query, this.#cut.signal, {
      onOpen,
    })) {
      const end = this.#take(parseWatchLine(this.#call, line));
      if (end !== undefined) return end;
    }
    return { type: 'closed', clean: true };
  }

  /** Handles one event; returns what ends the watch. */
  #take(event: WatchEvent): ReflectorEvent | undefined {
    if (event.type === 'error') return this.#endedBy(event.error);
    if (event.type === 'garbage') {
      this.#options.log.warn(
        { ...this.#options.what, line: event.line.slice(0, 200) },
        'a watch brought what is no event; listing anew',
      );
      return { type: 'expired' };
    }
    const resourceVersion = event.type === 'bookmark' ? event.resourceVersion : identityOf(event.raw)?.resourceVersion;
    const state = this.#options.state();
    if (
      resourceVersion !== undefined &&
      'resourceVersion' in state &&
      wentBack(state.resourceVersion, resourceVersion)
    ) {
      this.#options.log.warn(
        { ...this.#options.what, resourceVersion },
        "the server's history was set back; listing anew",
      );
      return { type: 'expired' };
    }
    if (event.type === 'upsert') this.#options.onUpsert(event.raw);
    if (event.type === 'delete') this.#options.onDelete(event.raw);
    this.#options.dispatch({ type: 'progressed', resourceVersion });
    this.#armSilence();
    return undefined;
  }

  #endedBy(error: unknown): ReflectorEvent {
    // 400: this server does not know such a resource version at all.
    if (isKubeError(error, 'Gone', 'BadRequest', 'Invalid')) return { type: 'expired' };
    if (!this.#cut.signal.aborted)
      this.#options.log.info({ ...this.#options.what, err: error }, 'a watch ended, will be dialled anew');
    return { type: 'closed', clean: false, retryAfterMs: isKubeError(error) ? error.retryAfterMs : undefined };
  }

  /** After our own cut the machine has moved on already; an end of the stream is no news then. */
  #finish(event: ReflectorEvent): void {
    if (!this.#cut.signal.aborted) this.#options.dispatch(event);
  }

  #armSilence(): void {
    const { clock, random } = this.#options;
    this.#cancelSilence();
    this.#probing?.cancel.abort();
    this.#cancelSilence = clock.after(SILENCE_MS * (1 + SILENCE_JITTER * random()), () => this.#doubt());
  }

  #doubt(): void {
    const cancel = new AbortController();
    this.#options.dispatch({ type: 'silent' });
    this.#options.onProbe();
    this.#probing = { cancel, done: this.#judge(cancel.signal) };
  }

  /** Never rejects: a probe that fails is a verdict. */
  async #judge(cancelled: AbortSignal): Promise<void> {
    const state = this.#options.state();
    if (state.kind !== 'doubting') return;
    const { resourceVersion, quietProbes } = state;
    const thorough = quietProbes === MUTE_PROBES - 1;
    const verdict = await probe({ ...this.#options, resourceVersion, thorough }, cancelled);
    if (cancelled.aborted || this.#options.state().kind !== 'doubting') return;
    if (verdict.type === 'betrayed')
      this.#options.log.warn({ ...this.#options.what, why: verdict.why }, 'a watch went silent; dialling anew');
    this.#options.dispatch(verdict);
    if (this.#options.state().kind === 'watching') this.#armSilence();
    else this.#cut.abort(new Error('given up after a silence'));
  }
}
