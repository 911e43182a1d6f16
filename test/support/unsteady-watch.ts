/** Watches that tell what the API server said late, twice, or in another order, as no network may and some proxies do. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Transport } from '../../src/kube/index.ts';

/** When a frame is delivered, counted from its arrival: once for each delay, in ms. */
export type Fate = () => readonly number[];

export const FATES = {
  late: () => [2500],
  twice: () => [0, 0, 700],
  shuffled: () => [Math.random() * 1500],
} satisfies Record<string, Fate>;

export interface UnsteadyTransport extends Transport {
  /** Frames that came out otherwise than they had come in: after the answer had waited, again, or behind a later one. */
  readonly disturbed: number;
}

/** Everything but watches passes untouched. */
export function unsteady(transport: Transport, fate: Fate): UnsteadyTransport {
  let disturbed = 0;
  return {
    server: transport.server,
    defaultNamespace: transport.defaultNamespace,
    get disturbed() {
      return disturbed;
    },
    json: (request) => transport.json(request),
    portForward: (...args) => transport.portForward(...args),
    close: () => transport.close(),
    async *stream(path, query, signal, options) {
      const cut = new AbortController();
      const frames = transport.stream(path, query, AbortSignal.any([signal, cut.signal]), options);
      const deliveries = new Deliveries();
      const reading = deliveries.take(frames, () => {
        disturbed++;
        return fate();
      });
      try {
        yield* deliveries.out();
      } finally {
        cut.abort();
        deliveries.stop();
        await reading;
      }
    },
  };
}

/** Frames on their way: out at their time, whichever came in first. */
class Deliveries {
  readonly #ready: string[] = [];
  readonly #stopped = new AbortController();
  #news = Promise.withResolvers<void>();
  #underway = 0;
  #end: { readonly error?: unknown } | undefined;

  /** Never rejects: how it ended is told by `out`, after the last frame. */
  async take(frames: AsyncIterable<string>, fate: Fate): Promise<void> {
    try {
      for await (const frame of frames) for (const delayMs of fate()) void this.#deliver(frame, delayMs);
      this.#end = {};
    } catch (error) {
      this.#end = { error };
    }
    this.#news.resolve();
  }

  async *out(): AsyncGenerator<string, void> {
    for (;;) {
      for (let frame = this.#ready.shift(); frame !== undefined; frame = this.#ready.shift()) yield frame;
      if (this.#end && this.#underway === 0) break;
      await this.#news.promise;
      this.#news = Promise.withResolvers();
    }
    if (this.#end && 'error' in this.#end) throw this.#end.error;
  }

  stop(): void {
    this.#stopped.abort();
  }

  async #deliver(frame: string, delayMs: number): Promise<void> {
    this.#underway++;
    if (delayMs > 0) await sleep(delayMs, undefined, { signal: this.#stopped.signal }).catch(() => undefined);
    this.#underway--;
    this.#ready.push(frame);
    this.#news.resolve();
  }
}
