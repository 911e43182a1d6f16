import type { BackoffPolicy } from './backoff.ts';
import type { Clock } from './clock.ts';

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
  /** Aborting stops taking; handlers see the same signal. `run` resolves when those that run have ended. */
  readonly signal: AbortSignal;
  readonly onError?: (key: string, error: unknown, retryInMs: number) => void;
}

export class KeyedQueue {
  readonly name: string;

  constructor(options: KeyedQueueOptions) {
    this.name = options.name;
  }

  /** Keys that are ready to be handled and not being handled. */
  get depth(): number {
    return 0;
  }

  /** Age of the oldest ready key, 0 when there is none. */
  get oldestWaitMs(): number {
    return 0;
  }

  /** Age of the longest running handler, 0 when none runs. */
  get longestRunMs(): number {
    return 0;
  }

  add(_key: string): void {}

  /** Of several delays of a key the earliest wins. */
  addAfter(_key: string, _delayMs: number): void {}

  /** Forgets the key's failures, so that its next failure is retried soon. */
  forget(_key: string): void {}

  run(_handler: Handler, _options: RunOptions): Promise<void> {
    throw new Error('not there yet');
  }

  /** Takes nothing new, handles what is ready, and waits. False when `timeoutMs` was not enough. */
  drain(_timeoutMs: number): Promise<boolean> {
    throw new Error('not there yet');
  }
}
