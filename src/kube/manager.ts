import type { Clock } from './clock.ts';
import type { LeaderElector } from './elector.ts';
import type { EventRecorder } from './events.ts';
import type { Log } from './log.ts';
import type { HandlerResult, KeyedQueue } from './queue.ts';
import type { Store } from './store.ts';

/** One duty: what is put into its queue is brought in line, one key at a time. */
export interface Controller {
  readonly name: string;
  readonly queue: KeyedQueue;
  /** Level-triggered and idempotent. An error is logged and retried with back-off. */
  // biome-ignore lint/suspicious/noConfusingVoidType: a reconcile that has nothing to say returns nothing
  reconcile(key: string, signal: AbortSignal): Promise<HandlerResult | void>;
  /** Keys handled at a time, default 1. */
  readonly concurrency?: number;
  /** Default true: only the leader runs it, where there is an elector. */
  readonly leaderOnly?: boolean;
}

/** Anything else that lives as long as the program: a server, a timer. Ends when the signal is aborted; ending before is a failure. */
export interface Service {
  readonly name: string;
  run(signal: AbortSignal): Promise<void>;
  /** Default false. */
  readonly leaderOnly?: boolean;
}

/** What the manager needs of a reflector. */
export interface Cache {
  readonly resource: { readonly plural: string };
  readonly store: Pick<Store<unknown>, 'hasSynced' | 'whenSynced'>;
  run(signal: AbortSignal): Promise<void>;
}

export interface ManagerOptions {
  readonly log: Log;
  readonly reflectors: readonly Cache[];
  readonly controllers: readonly Controller[];
  readonly services?: readonly Service[];
  readonly elector?: LeaderElector;
  readonly recorder?: EventRecorder;
  /** For the whole shutdown, default 20 s. */
  readonly shutdownMs?: number;
  readonly clock?: Clock;
}

/** Starts the parts in order and stops them in reverse; see SPEC.md. */
export class Manager {
  constructor(_options: ManagerOptions) {}

  /** Every cache is synced and the shutdown has not begun: fit for `/readyz`. */
  ready(): boolean {
    return false;
  }

  /** The loop has beaten within the last 10 s: fit for `/healthz`. */
  alive(): boolean {
    return false;
  }

  /** Resolves after an orderly shutdown; rejects with the error of a part that failed for good. */
  run(_signal: AbortSignal): Promise<void> {
    throw new Error('not there yet');
  }
}
