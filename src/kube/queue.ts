import { type BackoffPolicy, backoffMs } from './backoff.ts';
import { type Clock, systemClock } from './clock.ts';

/** What a handler asks for; nothing means that the key is done until it is added again. */
export interface HandlerResult {
  readonly requeueAfterMs?: number | undefined;
}
// biome-ignore lint/suspicious/noConfusingVoidType: handlers that have nothing to say return nothing
export type Handler = (key: string, signal: AbortSignal) => Promise<HandlerResult | void>;

/** Observed as it happens; `queue` is the queue's name. */
export interface QueueMetrics {
  depth?(queue: string, keys: number): void;
  /** From being ready to being started. */
  waited?(queue: string, seconds: number): void;
  handled?(queue: string, outcome: 'ok' | 'error', seconds: number): void;
  retried?(queue: string): void;
}

export interface KeyedQueueOptions {
  readonly name: string;
  /** Default: 500 ms doubling to 5 min, jitter one half. */
  readonly backoff?: BackoffPolicy;
  readonly metrics?: QueueMetrics;
  readonly clock?: Clock;
  readonly random?: () => number;
}

export interface RunOptions {
  /** Default 1. */
  readonly concurrency?: number;
  /** Aborting stops taking; handlers see the same signal. `run` resolves when those under way have ended. */
  readonly signal: AbortSignal;
  readonly onError?: (key: string, error: unknown, retryInMs: number) => void;
}

const DEFAULT_BACKOFF: BackoffPolicy = { baseMs: 500, maxMs: 300_000, jitter: 0.5 };

interface Worker {
  readonly handler: Handler;
  readonly options: RunOptions;
  readonly concurrency: number;
}

/**
 * Keys to be handled, each at most once at a time; see SPEC.md. When a run of a key starts, its pending delays are forgotten: the run sees
 * the newest state, and what it returns decides when the next is due. While nobody runs the queue, it keeps no timers: what is added, delayed,
 * or was interrupted waits as ready for the next `run`.
 */
export class KeyedQueue {
  readonly name: string;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #backoff: BackoffPolicy;
  readonly #metrics: QueueMetrics;
  /** Ready keys in order, with the time since when. */
  readonly #ready = new Map<string, number>();
  readonly #processing = new Map<string, number>();
  readonly #dirty = new Set<string>();
  readonly #delayed = new Map<string, { readonly dueMs: number; readonly cancel: () => void }>();
  readonly #failures = new Map<string, number>();
  readonly #waiters = new Set<() => void>();
  #worker: Worker | undefined;
  #phase: 'idle' | 'running' | 'draining' | 'closed' = 'idle';

  constructor(options: KeyedQueueOptions) {
    this.name = options.name;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#backoff = options.backoff ?? DEFAULT_BACKOFF;
    this.#metrics = options.metrics ?? {};
  }

  /** Keys that are ready to be handled and not being handled. */
  get depth(): number {
    return this.#ready.size;
  }

  /** Age of the oldest ready key, 0 when there is none. */
  get oldestWaitMs(): number {
    return this.#ageMs(this.#ready);
  }

  /** Age of the longest running handler, 0 when none runs. */
  get longestRunMs(): number {
    return this.#ageMs(this.#processing);
  }

  add(key: string): void {
    if (this.#phase === 'draining' || this.#phase === 'closed') return;
    if (this.#processing.has(key)) this.#dirty.add(key);
    else if (!this.#ready.has(key)) this.#makeReady(key);
  }

  /** Of several delays of a key the earliest wins. */
  addAfter(key: string, delayMs: number): void {
    if (delayMs <= 0 || this.#phase !== 'running') {
      this.add(key);
      return;
    }
    const dueMs = this.#clock.nowMs() + delayMs;
    const pending = this.#delayed.get(key);
    if (pending !== undefined && pending.dueMs <= dueMs) return;
    pending?.cancel();
    const cancel = this.#clock.after(delayMs, () => {
      this.#delayed.delete(key);
      this.add(key);
    });
    this.#delayed.set(key, { dueMs, cancel });
  }

  /** Forgets the key's failures, so that its next failure is retried soon. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** Handles keys until the signal is aborted or the queue is drained; may be called again after that, but for a drained queue it resolves at once. */
  async run(handler: Handler, options: RunOptions): Promise<void> {
    if (this.#worker !== undefined) throw new Error(`the queue ${this.name} runs already`);
    if (this.#phase !== 'idle' || options.signal.aborted) return;
    this.#worker = { handler, options, concurrency: Math.max(1, options.concurrency ?? 1) };
    this.#phase = 'running';
    const onAbort = (): void => this.#leave(this.#phase === 'running' ? 'idle' : 'closed');
    options.signal.addEventListener('abort', onAbort, { once: true });
    this.#pump();
    await this.#until(() => this.#processing.size === 0 && (this.#phase === 'idle' || this.#phase === 'closed'));
    options.signal.removeEventListener('abort', onAbort);
    this.#worker = undefined;
  }

  /** Takes nothing new, handles what is ready, and waits. False when `timeoutMs` was not enough; nothing more is started then. Final. */
  async drain(timeoutMs: number): Promise<boolean> {
    this.#leave(this.#phase === 'running' || this.#phase === 'draining' ? 'draining' : 'closed');
    const late = Promise.withResolvers<boolean>();
    const cancel = this.#clock.after(timeoutMs, () => late.resolve(false));
    const empty = (): boolean => this.#processing.size === 0 && this.#ready.size === 0;
    const done = await Promise.race([this.#until(empty).then(() => true), late.promise]);
    cancel();
    this.#leave('closed');
    return done;
  }

  #leave(phase: 'idle' | 'draining' | 'closed'): void {
    const delayed = [...this.#delayed];
    this.#delayed.clear();
    for (const [, { cancel }] of delayed) cancel();
    this.#phase = phase;
    if (phase === 'idle') for (const [key] of delayed) this.add(key);
    if (phase !== 'idle') this.#dirty.clear();
    if (phase === 'closed') this.#ready.clear();
    this.#wake();
  }

  /** Resolves when `condition` holds; it is looked at after each change. */
  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiters.add(resolve));
  }

  #wake(): void {
    for (const wake of this.#waiters) wake();
    this.#waiters.clear();
  }

  #makeReady(key: string): void {
    this.#ready.set(key, this.#clock.nowMs());
    this.#metrics.depth?.(this.name, this.#ready.size);
    this.#pump();
  }

  #pump(): void {
    const worker = this.#worker;
    if (worker === undefined) return;
    for (const [key, readyAtMs] of this.#ready) {
      const taking = this.#phase === 'running' || this.#phase === 'draining';
      if (!taking || this.#processing.size >= worker.concurrency) return;
      this.#ready.delete(key);
      this.#delayed.get(key)?.cancel();
      this.#delayed.delete(key);
      const nowMs = this.#clock.nowMs();
      this.#processing.set(key, nowMs);
      this.#metrics.depth?.(this.name, this.#ready.size);
      this.#metrics.waited?.(this.name, (nowMs - readyAtMs) / 1000);
      void this.#handle(worker, key, nowMs);
    }
  }

  /** Never rejects. */
  async #handle({ handler, options }: Worker, key: string, startedMs: number): Promise<void> {
    let outcome: 'ok' | 'error' = 'ok';
    try {
      const result = await handler(key, options.signal);
      this.#failures.delete(key);
      if (result?.requeueAfterMs !== undefined) this.addAfter(key, result.requeueAfterMs);
    } catch (error) {
      outcome = 'error';
      // What fails because it was told to stop has not failed; it is left for the next run.
      if (options.signal.aborted) this.add(key);
      else this.#retry(options, key, error);
    }
    this.#metrics.handled?.(this.name, outcome, (this.#clock.nowMs() - startedMs) / 1000);
    this.#processing.delete(key);
    if (this.#dirty.delete(key)) this.#makeReady(key);
    else this.#pump();
    this.#wake();
  }

  #retry(options: RunOptions, key: string, error: unknown): void {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    const delayMs = Math.max(backoffMs(this.#backoff, failures, this.#random()), retryAfterOf(error));
    this.addAfter(key, delayMs);
    this.#metrics.retried?.(this.name);
    try {
      options.onError?.(key, error, delayMs);
    } catch {
      // A broken reporter must not stop the queue, and there is nobody left to tell.
    }
  }

  #ageMs(since: ReadonlyMap<string, number>): number {
    // Insertion order is time order.
    const [oldest] = since.values();
    return oldest === undefined ? 0 : this.#clock.nowMs() - oldest;
  }
}

function retryAfterOf(error: unknown): number {
  const wish = error instanceof Error && 'retryAfterMs' in error ? error.retryAfterMs : undefined;
  return typeof wish === 'number' && wish > 0 ? wish : 0;
}
