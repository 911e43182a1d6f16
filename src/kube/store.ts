import type { Log } from './log.ts';
import type { ObjectKey } from './resource.ts';

/** What happened to one object. A delete and recreate under one name is two changes: `deleted`, then `added`. */
export type Change<T> =
  | { readonly type: 'added'; readonly key: ObjectKey; readonly object: T }
  | { readonly type: 'updated'; readonly key: ObjectKey; readonly object: T; readonly previous: T }
  | { readonly type: 'deleted'; readonly key: ObjectKey; readonly object: T };

export type Listener<T> = (change: Change<T>) => void;

/** Values under which an object is found; none keeps it out of the index. */
export type Indexers<T> = Readonly<Record<string, (object: T) => readonly string[]>>;

/** The readable side: what a reflector knows of the cluster at this moment. Objects are shared: do not change them. */
export interface Store<T> {
  get(key: ObjectKey): T | undefined;
  list(): T[];
  keys(): ObjectKey[];
  readonly size: number;
  /** True from the first complete list on. */
  hasSynced(): boolean;
  /** Resolves once synced; rejects with the signal's reason. */
  whenSynced(signal: AbortSignal): Promise<void>;
  /** Objects of a declared index; throws on a name that was not declared. */
  byIndex(index: string, value: string): T[];
  /** Reports what is there as `added`, then every change, in order. A listener that throws is logged and does not harm the others. Returns the unsubscription. */
  onChange(listener: Listener<T>): () => void;
}

/** One object as the reflector hands it over: identity from the raw object, content from the descriptor's `parse`. */
export interface Entry<T> {
  readonly key: ObjectKey;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly object: T;
}

/** The writable side, for the reflector alone. */
export class ObjectStore<T> implements Store<T> {
  readonly #entries = new Map<ObjectKey, Entry<T>>();
  readonly #indexers: Indexers<T>;
  readonly #indexes = new Map<string, Map<string, Set<ObjectKey>>>();
  readonly #listeners = new Set<Listener<T>>();
  readonly #log: Log;
  readonly #synced = Promise.withResolvers<void>();
  #hasSynced = false;

  constructor(log: Log, indexers: Indexers<T> = {}) {
    this.#log = log;
    this.#indexers = indexers;
    for (const name of Object.keys(indexers)) this.#indexes.set(name, new Map());
  }

  get(key: ObjectKey): T | undefined {
    return this.#entries.get(key)?.object;
  }

  list(): T[] {
    return Array.from(this.#entries.values(), (entry) => entry.object);
  }

  keys(): ObjectKey[] {
    return [...this.#entries.keys()];
  }

  get size(): number {
    return this.#entries.size;
  }

  hasSynced(): boolean {
    return this.#hasSynced;
  }

  whenSynced(signal: AbortSignal): Promise<void> {
    if (this.#hasSynced) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason);
      if (signal.aborted) return onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
      void this.#synced.promise.then(() => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      });
    });
  }

  byIndex(index: string, value: string): T[] {
    const byValue = this.#indexes.get(index);
    if (byValue === undefined) {
      throw new TypeError(
        `no index ${JSON.stringify(index)} was declared; declared: ${[...this.#indexes.keys()].join(', ') || 'none'}`,
      );
    }
    const found: T[] = [];
    for (const key of byValue.get(value) ?? []) {
      const entry = this.#entries.get(key);
      if (entry !== undefined) found.push(entry.object);
    }
    return found;
  }

  onChange(listener: Listener<T>): () => void {
    this.#listeners.add(listener);
    for (const { key, object } of [...this.#entries.values()]) this.#tell(listener, { type: 'added', key, object });
    return () => this.#listeners.delete(listener);
  }

  /** Makes the store equal to a complete list. All of it is in place before the first listener hears of any of it. */
  replace(entries: readonly Entry<T>[]): void {
    const next = new Map(entries.map((entry) => [entry.key, entry]));
    const changes: Change<T>[] = [];
    for (const key of this.keys()) if (!next.has(key)) changes.push(...this.#drop(key));
    for (const entry of next.values()) changes.push(...this.#put(entry));
    this.#report(changes);
    if (!this.#hasSynced) {
      this.#hasSynced = true;
      this.#synced.resolve();
    }
  }

  upsert(entry: Entry<T>): void {
    this.#report(this.#put(entry));
  }

  remove(key: ObjectKey): void {
    this.#report(this.#drop(key));
  }

  #put(entry: Entry<T>): Change<T>[] {
    const { key, object } = entry;
    const before = this.#entries.get(key);
    if (before?.uid === entry.uid && before.resourceVersion === entry.resourceVersion) return [];
    const dropped = before !== undefined && before.uid !== entry.uid ? this.#drop(key) : [];
    const previous = this.#entries.get(key)?.object;
    if (previous !== undefined) this.#index(key, previous, 'out');
    this.#entries.set(key, entry);
    this.#index(key, object, 'in');
    return [
      ...dropped,
      previous === undefined ? { type: 'added', key, object } : { type: 'updated', key, object, previous },
    ];
  }

  #drop(key: ObjectKey): Change<T>[] {
    const entry = this.#entries.get(key);
    if (entry === undefined) return [];
    this.#entries.delete(key);
    this.#index(key, entry.object, 'out');
    return [{ type: 'deleted', key, object: entry.object }];
  }

  #index(key: ObjectKey, object: T, direction: 'in' | 'out'): void {
    for (const [name, valuesOf] of Object.entries(this.#indexers)) {
      const byValue = this.#indexes.get(name);
      for (const value of valuesOf(object)) {
        const keys = byValue?.get(value) ?? new Set();
        if (direction === 'in') byValue?.set(value, keys.add(key));
        else if (keys.delete(key) && keys.size === 0) byValue?.delete(value);
      }
    }
  }

  #report(changes: readonly Change<T>[]): void {
    for (const change of changes) for (const listener of [...this.#listeners]) this.#tell(listener, change);
  }

  #tell(listener: Listener<T>, change: Change<T>): void {
    try {
      listener(change);
    } catch (error) {
      this.#log.error({ err: error, key: change.key, change: change.type }, 'a listener of a store failed');
    }
  }
}
