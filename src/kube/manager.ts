import { type Clock, deadline, pause, systemClock } from './clock.ts';
import type { LeaderElector } from './elector.ts';
import type { EventRecorder } from './events.ts';
import type { Log } from './log.ts';
import type { Handler, HandlerResult, KeyedQueue } from './queue.ts';
import type { Store } from './store.ts';
import { aborted, together } from './together.ts';

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
  readonly elector?: Pick<LeaderElector, 'run'>;
  readonly recorder?: Pick<EventRecorder, 'drain'>;
  /** For the whole shutdown, default 20 s. */
  readonly shutdownMs?: number;
  readonly clock?: Clock;
}

const BEAT_MS = 1_000;
const DEAD_MS = 10_000;
const SYNC_REPORT_MS = 15_000;
const DEFAULT_SHUTDOWN_MS = 20_000;
/** Share of the shutdown that queues may take to finish what is ready. */
const DRAIN_SHARE = 0.6;

/** Starts the parts in order and stops them in reverse; see SPEC.md. */
export class Manager {
  readonly #options: ManagerOptions;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #stopping = new AbortController();
  /** Aborted one after the other in the shutdown: what leads, what serves, what feeds. */
  readonly #off = { leading: new AbortController(), services: new AbortController(), caches: new AbortController() };
  #failure: { readonly error: unknown } | undefined;
  #beatMs: number;
  #reconciles = 0;

  constructor(options: ManagerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log;
    this.#beatMs = this.#clock.nowMs();
  }

  /** Every cache is synced and the shutdown has not begun: fit for `/readyz`. */
  ready(): boolean {
    return !this.#stopping.signal.aborted && this.#options.reflectors.every(({ store }) => store.hasSynced());
  }

  /** The loop has beaten within the last 10 s: fit for `/healthz`. */
  alive(): boolean {
    return this.#clock.nowMs() - this.#beatMs < DEAD_MS;
  }

  /** Resolves after an orderly shutdown; rejects with the error of a part that failed for good. May be called once. */
  async run(signal: AbortSignal): Promise<void> {
    const onAbort = (): void => this.#stopping.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    const beating = this.#beat();
    const parts = [
      ...this.#options.reflectors.map((cache) =>
        this.#part(`reflector of ${cache.resource.plural}`, cache.run(this.#off.caches.signal)),
      ),
      ...this.#services(false).map((service) =>
        this.#part(service.name, this.#serve(service, this.#off.services.signal)),
      ),
    ];
    const control = this.#part('controllers', this.#control());
    await aborted(this.#stopping.signal);
    signal.removeEventListener('abort', onAbort);
    await this.#shutDown(control, Promise.all(parts));
    await beating;
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** A part that fails stops everything; the first failure is the one that `run` reports. Never rejects. */
  async #part(name: string, running: Promise<void>): Promise<void> {
    try {
      await running;
    } catch (error) {
      if (this.#stopping.signal.aborted) {
        this.#log.warn({ err: error, part: name }, 'a part failed while it stopped');
        return;
      }
      this.#failure = { error };
      this.#log.error({ err: error, part: name }, 'a part failed for good; shutting down');
      this.#stopping.abort(error);
    }
  }

  async #serve(service: Service, signal: AbortSignal): Promise<void> {
    await service.run(signal);
    if (!signal.aborted) throw new Error(`${service.name} ended although nobody stopped it`);
  }

  #services(leaderOnly: boolean): Service[] {
    return (this.#options.services ?? []).filter((service) => (service.leaderOnly ?? false) === leaderOnly);
  }

  #controllers(leaderOnly: boolean): Controller[] {
    return this.#options.controllers.filter((controller) => (controller.leaderOnly ?? true) === leaderOnly);
  }

  /** From the sync of the caches to the end of the last handler. */
  async #control(): Promise<void> {
    if (!(await this.#synced())) return;
    const { elector } = this.#options;
    const lead = (leading: AbortSignal): Promise<void> =>
      together(leading, [
        ...this.#controllers(true).map((controller) => (signal: AbortSignal) => this.#runQueue(controller, signal)),
        ...this.#services(true).map((service) => (signal: AbortSignal) => this.#serve(service, signal)),
        aborted,
      ]);
    await together(this.#off.leading.signal, [
      ...this.#controllers(false).map((controller) => (signal: AbortSignal) => this.#runQueue(controller, signal)),
      (signal) => (elector === undefined ? lead(signal) : elector.run({ signal, lead })),
    ]);
  }

  async #synced(): Promise<boolean> {
    const { reflectors } = this.#options;
    const report = async (done: AbortSignal): Promise<void> => {
      for (;;) {
        await pause(this.#clock, SYNC_REPORT_MS, done);
        if (done.aborted) return;
        const missing = reflectors.filter(({ store }) => !store.hasSynced()).map(({ resource }) => resource.plural);
        this.#log.warn({ missing }, 'still waiting for the first complete lists');
      }
    };
    const done = new AbortController();
    const reporting = report(done.signal);
    try {
      await Promise.all(reflectors.map(({ store }) => store.whenSynced(this.#stopping.signal)));
      return !this.#stopping.signal.aborted;
    } catch (error) {
      if (this.#stopping.signal.aborted) return false;
      throw error;
    } finally {
      done.abort();
      await reporting;
    }
  }

  #runQueue(controller: Controller, signal: AbortSignal): Promise<void> {
    const { name, queue, concurrency } = controller;
    const reconcile: Handler = (key, handlerSignal) => {
      this.#log.debug({ controller: name, key, reconcile: ++this.#reconciles }, 'reconcile');
      return controller.reconcile(key, handlerSignal);
    };
    return queue.run(reconcile, {
      signal,
      concurrency: concurrency ?? 1,
      onError: (key, error, retryInMs) =>
        this.#log.warn(
          { controller: name, key, err: error, retryInMs: Math.round(retryInMs) },
          'reconcile failed, will be tried again',
        ),
    });
  }

  async #beat(): Promise<void> {
    const { signal } = this.#off.caches;
    while (!signal.aborted) {
      this.#beatMs = this.#clock.nowMs();
      await pause(this.#clock, BEAT_MS, signal);
    }
  }

  async #shutDown(control: Promise<void>, parts: Promise<unknown>): Promise<void> {
    const { shutdownMs = DEFAULT_SHUTDOWN_MS, controllers, recorder } = this.#options;
    const limit = deadline(this.#clock, shutdownMs);
    const startedMs = this.#clock.nowMs();
    const leftMs = (): number => Math.max(0, shutdownMs - (this.#clock.nowMs() - startedMs));
    const drained = await Promise.all(controllers.map(({ queue }) => queue.drain(shutdownMs * DRAIN_SHARE)));
    this.#off.leading.abort(this.#stopping.signal.reason);
    await Promise.race([control, aborted(limit.signal)]);
    await recorder?.drain(leftMs() / 2);
    this.#off.services.abort(this.#stopping.signal.reason);
    this.#off.caches.abort(this.#stopping.signal.reason);
    await Promise.race([Promise.all([control, parts]), aborted(limit.signal)]);
    const late = limit.signal.aborted;
    limit.cancel();
    const fields = { drained: drained.every(Boolean), tookMs: Math.round(this.#clock.nowMs() - startedMs) };
    if (late) this.#log.error(fields, 'the shutdown took too long; parts still run');
    else this.#log.info(fields, 'stopped');
  }
}
