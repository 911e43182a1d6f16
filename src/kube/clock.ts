/**
 * Time as this room uses it. `nowMs` is monotonic and says nothing about the date; only text that people read may use `wallMs`.
 * Tests put a clock of their own in its place.
 */
export interface Clock {
  /** Milliseconds since an arbitrary start; never steps back, whatever happens to the date. */
  nowMs(): number;
  /** Milliseconds since 1970, for time stamps only. */
  wallMs(): number;
  /** Calls `fire` once after `delayMs`; the returned function cancels and is safe to call twice. */
  after(delayMs: number, fire: () => void): () => void;
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  after(delayMs, fire) {
    const timer = setTimeout(fire, Math.max(0, delayMs));
    return () => clearTimeout(timer);
  },
};

/** Resolves after `delayMs`, or at once when `signal` is aborted; never rejects, so that loops can look at the signal themselves. */
export function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(delayMs, done);
    signal.addEventListener('abort', done, { once: true });
  });
}

/** Like `AbortSignal.timeout`, but on the given clock and disposable: no timer outlives its use. */
export function deadline(
  clock: Clock,
  delayMs: number,
  parent?: AbortSignal,
): { signal: AbortSignal; cancel: () => void } {
  const controller = new AbortController();
  const onParent = (): void => controller.abort(parent?.reason);
  if (parent?.aborted) onParent();
  parent?.addEventListener('abort', onParent, { once: true });
  const cancelTimer = clock.after(delayMs, () => controller.abort(new DeadlineExceeded(delayMs)));
  return {
    signal: controller.signal,
    cancel() {
      cancelTimer();
      parent?.removeEventListener('abort', onParent);
    },
  };
}

export class DeadlineExceeded extends Error {
  readonly afterMs: number;
  constructor(afterMs: number) {
    super(`not done within ${Math.round(afterMs)} ms`);
    this.name = 'DeadlineExceeded';
    this.afterMs = afterMs;
  }
}

/**
 * The promise, or a rejection with the signal's reason as soon as it is aborted: for what hears of an abort too late by itself. What becomes of
 * the promise after that is nobody's business any more.
 */
export function interruptible<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
