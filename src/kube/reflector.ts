import type { Clock } from './clock.ts';
import type { Log } from './log.ts';
import type { ObjectKey, Resource } from './resource.ts';
import { type Indexers, ObjectStore, type Store } from './store.ts';
import type { Transport } from './transport.ts';

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
}

/** Lists, then watches, for as long as the signal lets it; see SPEC.md. */
export class Reflector<T> {
  readonly resource: Resource<T>;
  readonly store: Store<T>;

  constructor(options: ReflectorOptions<T>) {
    this.resource = options.resource;
    this.store = new ObjectStore<T>(options.log, options.indexers);
  }

  /** Objects that could not be parsed, with the reason; they are not in the store. */
  malformed(): ReadonlyMap<ObjectKey, string> {
    return new Map();
  }

  /** Resolves when the signal is aborted and everything is closed; never rejects. May be called once. */
  async run(_signal: AbortSignal): Promise<void> {
    throw new Error('not there yet');
  }
}
