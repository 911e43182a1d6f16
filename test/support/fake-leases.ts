import type { Clock } from '../../src/kube/clock.ts';
import { KubeError } from '../../src/kube/errors.ts';
import type { JsonRequest, Transport } from '../../src/kube/transport.ts';
import type { ManualClock } from './manual-clock.ts';

/** What the network does to one call. */
export interface Passage {
  readonly requestMs: number;
  readonly answerMs: number;
  readonly lose: 'nothing' | 'request' | 'answer';
}

interface Stored {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly resourceVersion: string;
  };
  readonly spec: Record<string, unknown>;
}

/** One Lease with optimistic locking, as the API server keeps it, behind a network that delays and loses. */
export class FakeLeases {
  readonly #clock: ManualClock;
  #lease: Stored | undefined;
  #version = 0;
  /** Every record ever written, the newest last. */
  readonly history: Record<string, unknown>[] = [];

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  /** A client of its own; `passage` is asked once a call. A deaf one hears of no abort and no time-out: what is lost fails after 20 s. */
  client(passage: () => Passage, options: { readonly deaf?: boolean } = {}): Transport {
    const refuse = (): never => {
      throw new Error('only leases are served here');
    };
    return {
      server: 'fake',
      defaultNamespace: 'default',
      json: (request) => (options.deaf === true ? this.#callDeaf(request, passage()) : this.#call(request, passage())),
      stream: refuse,
      portForward: refuse,
      close: async () => {},
    };
  }

  async #call(request: JsonRequest, { requestMs, answerMs, lose }: Passage): Promise<unknown> {
    const call = `${request.method} lease`;
    const limit = Promise.withResolvers<never>();
    const cancel = this.#clock.after(request.timeoutMs ?? 30_000, () =>
      limit.reject(new KubeError({ code: 'Timeout', call, message: 'no answer' })),
    );
    const onAbort = (): void => limit.reject(request.signal?.reason);
    request.signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return await Promise.race([limit.promise, this.#pass(request, call, requestMs, answerMs, lose)]);
    } finally {
      cancel();
      request.signal?.removeEventListener('abort', onAbort);
    }
  }

  async #callDeaf(request: JsonRequest, { requestMs, answerMs, lose }: Passage): Promise<unknown> {
    const call = `${request.method} lease`;
    const lost = this.#sleep(20_000).then(() => {
      throw new KubeError({ code: 'Unreachable', call, message: 'lost' });
    });
    return await Promise.race([lost, this.#pass(request, call, requestMs, answerMs, lose)]);
  }

  /** What has left is written, whether or not anybody still waits for the answer. */
  async #pass(
    request: JsonRequest,
    call: string,
    requestMs: number,
    answerMs: number,
    lose: Passage['lose'],
  ): Promise<unknown> {
    await this.#sleep(requestMs);
    const answer = lose === 'request' ? undefined : this.#serve(request, call);
    await this.#sleep(answerMs);
    if (lose !== 'nothing' || answer === undefined) return await new Promise(() => {});
    if (answer instanceof KubeError) throw answer;
    return answer;
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.#clock.after(ms, resolve));
  }

  #serve(request: JsonRequest, call: string): Stored | KubeError {
    const refuse = (code: 'NotFound' | 'AlreadyExists' | 'Conflict'): KubeError =>
      new KubeError({ code, call, message: code });
    const lease = this.#lease;
    if (request.method === 'GET') return lease ?? refuse('NotFound');
    const body = request.body as Stored;
    if (request.method === 'POST' && lease !== undefined) return refuse('AlreadyExists');
    if (request.method === 'PUT') {
      if (lease === undefined) return refuse('NotFound');
      if (body.metadata.resourceVersion !== lease.metadata.resourceVersion) return refuse('Conflict');
    }
    this.#lease = {
      metadata: { name: 'lease', namespace: 'default', uid: 'lease', resourceVersion: String(++this.#version) },
      spec: body.spec,
    };
    this.history.push(body.spec);
    return this.#lease;
  }
}

/** A clock that runs at another speed, from another start, and whose timers are late. */
export function skewed(
  clock: ManualClock,
  skew: { readonly rate: number; readonly offsetMs: number; readonly lateMs: number },
): Clock {
  return {
    nowMs: () => skew.offsetMs + clock.nowMs() * skew.rate,
    wallMs: () => clock.wallMs() + skew.offsetMs,
    after: (delayMs, fire) => clock.after(delayMs / skew.rate + skew.lateMs, fire),
  };
}
