import { type Clock, pause, systemClock } from './clock.ts';
import { isKubeError } from './errors.ts';
import type { Log } from './log.ts';
import { listEach } from './paged-list.ts';
import { type ReflectorEvent, type ReflectorState, transition } from './reflector-machine.ts';
import type { ObjectKey, Resource } from './resource.ts';
import { type Entry, type Indexers, ObjectStore, type Store } from './store.ts';
import type { Query, Transport } from './transport.ts';
import { identityOf, readObject } from './watch-event.ts';
import { WatchSession } from './watch-session.ts';

export interface ReflectorOptions<T> {
  readonly transport: Transport;
  readonly resource: Resource<T>;
  /** Default: all namespaces. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Objects a list page, default 500. */
  readonly pageSize?: number;
  readonly indexers?: Indexers<T>;
  readonly log: Log;
  readonly clock?: Clock;
  readonly random?: () => number;
  /** An object that could not be parsed, as the server sent it; why is in `malformed`. Must not throw. */
  readonly onKeptOut?: (key: ObjectKey, raw: unknown) => void;
}

/** Numbers since the start, for metrics and for a look at its health. */
export interface ReflectorStatus {
  readonly state: ReflectorState['kind'];
  readonly resourceVersion: string;
  readonly objects: number;
  readonly malformed: number;
  readonly lists: number;
  readonly watches: number;
  readonly probes: number;
}

/** Lists, then watches, for as long as the signal lets it; see SPEC.md. */
export class Reflector<T> {
  readonly resource: Resource<T>;
  readonly store: Store<T>;
  readonly #objects: ObjectStore<T>;
  readonly #options: ReflectorOptions<T>;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #log: Log;
  readonly #what: { readonly reflector: string };
  readonly #malformed = new Map<ObjectKey, string>();
  #nameless = 0;
  #state: ReflectorState = { kind: 'idle' };
  #resourceVersion = '';
  #lists = 0;
  #watches = 0;
  #probes = 0;

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#log = options.log;
    this.resource = options.resource;
    this.#what = {
      reflector: options.namespace ? `${options.resource.plural} in ${options.namespace}` : options.resource.plural,
    };
    this.#objects = new ObjectStore<T>(options.log, options.indexers);
    this.store = this.#objects;
  }

  /** Objects that could not be parsed, with the reason; they are not in the store. */
  malformed(): ReadonlyMap<ObjectKey, string> {
    return this.#malformed;
  }

  status(): ReflectorStatus {
    return {
      state: this.#state.kind,
      resourceVersion: this.#resourceVersion,
      objects: this.#objects.size,
      malformed: this.#malformed.size + this.#nameless,
      lists: this.#lists,
      watches: this.#watches,
      probes: this.#probes,
    };
  }

  /** Resolves when the signal is aborted and everything is closed; whatever the server does, it does not reject. May be called once. */
  async run(signal: AbortSignal): Promise<void> {
    if (this.#state.kind !== 'idle') throw new Error('a reflector runs once; make another');
    this.#dispatch({ type: 'start' });
    while (!signal.aborted) await this.#step(this.#state, signal);
    this.#dispatch({ type: 'stop' });
  }

  async #step(state: ReflectorState, signal: AbortSignal): Promise<void> {
    switch (state.kind) {
      case 'listing':
        return this.#dispatch(await this.#list(signal));
      case 'dialing':
        return await this.#watch(signal);
      case 'waitingToList':
      case 'waitingToDial':
        await pause(this.#clock, state.delayMs, signal);
        return this.#dispatch({ type: 'due' });
      default:
        throw new Error(`a reflector cannot rest in the state ${state.kind}`);
    }
  }

  #dispatch(event: ReflectorEvent): void {
    const before = this.#state;
    this.#state = transition(before, event, { nowMs: this.#clock.nowMs(), chance: this.#random() });
    if ('resourceVersion' in this.#state) this.#resourceVersion = this.#state.resourceVersion;
    if (before.kind !== this.#state.kind) {
      this.#log.debug({ ...this.#what, event: event.type, from: before.kind, to: this.#state.kind }, 'reflector');
    }
  }

  get #selectors(): Query {
    return { labelSelector: this.#options.labelSelector, fieldSelector: this.#options.fieldSelector };
  }

  async #list(signal: AbortSignal): Promise<ReflectorEvent> {
    const { transport, resource, namespace, labelSelector, fieldSelector, pageSize = 500 } = this.#options;
    this.#lists++;
    try {
      const options = { namespace, labelSelector, fieldSelector, pageSize, signal };
      const { items, resourceVersion } = await listEach(transport, resource, options, (raw) =>
        readObject(resource, raw),
      );
      const entries: Entry<T>[] = [];
      this.#malformed.clear();
      this.#nameless = 0;
      for (const read of items) {
        if (read.ok) entries.push(read.entry);
        else this.#keepOut(read.identity?.key, read.reason, read.raw);
      }
      this.#objects.replace(entries);
      return { type: 'listed', resourceVersion };
    } catch (error) {
      if (!signal.aborted) this.#log.warn({ ...this.#what, err: error }, 'listing failed, will be tried again');
      return { type: 'listFailed', retryAfterMs: isKubeError(error) ? error.retryAfterMs : undefined };
    }
  }

  async #watch(signal: AbortSignal): Promise<void> {
    this.#watches++;
    const session = new WatchSession({
      transport: this.#options.transport,
      resource: this.resource,
      namespace: this.#options.namespace,
      selectors: this.#selectors,
      clock: this.#clock,
      random: this.#random,
      log: this.#log,
      what: this.#what,
      state: () => this.#state,
      dispatch: (event) => this.#dispatch(event),
      onUpsert: (raw) => this.#upsert(raw),
      onDelete: (raw) => this.#delete(raw),
      onProbe: () => this.#probes++,
    });
    await session.run(this.#resourceVersion, signal);
  }

  #upsert(raw: unknown): void {
    const read = readObject(this.resource, raw);
    if (read.ok) {
      this.#malformed.delete(read.entry.key);
      this.#objects.upsert(read.entry);
    } else {
      this.#keepOut(read.identity?.key, read.reason, read.raw);
    }
  }

  #delete(raw: unknown): void {
    const key = identityOf(raw)?.key;
    if (key === undefined) {
      this.#keepOut(undefined, 'a deleted object without identity', raw);
      return;
    }
    this.#malformed.delete(key);
    this.#objects.remove(key);
  }

  /** What cannot be understood must not be acted on: an older version of it leaves the store too. */
  #keepOut(key: ObjectKey | undefined, reason: string, raw: unknown): void {
    this.#log.warn({ ...this.#what, key, reason }, 'a malformed object is kept out of the store');
    if (key === undefined) {
      this.#nameless++;
      return;
    }
    this.#malformed.set(key, reason);
    this.#objects.remove(key);
    this.#options.onKeptOut?.(key, raw);
  }
}
