import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { KubeConfig } from '@kubernetes/client-node';
import { type HttpResponse, request as send } from '../http/index.ts';
import { type Clock, deadline, interruptible, pause, systemClock } from './clock.ts';
import { ConnectionPool } from './connections.ts';
import { CredentialSource, type Credentials, loadKubeConfig } from './credentials.ts';
import { errorFromStatus, isKubeError, KubeError } from './errors.ts';
import { splitLines } from './lines.ts';
import { type Log, silentLog } from './log.ts';
import { failureOf } from './network-failure.ts';
import { openPortForward } from './port-forward.ts';
import { resourceLabel, withQuery } from './request-info.ts';
import type { CallMetric, JsonRequest, Query, StreamOptions, Transport, TransportOptions } from './transport.ts';

const CALL_MS = 30_000;
const OPEN_MS = 15_000;
const MAX_TRIES = 4;
const MAX_RETRY_AFTER_MS = 30_000;

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly retryAfter: string | undefined;
}

/** The transport over HTTP/1.1. */
export class HttpTransport implements Transport {
  readonly server: string;
  readonly defaultNamespace: string;
  readonly #origin: string;
  readonly #prefix: string;
  readonly #userAgent: string;
  readonly #kubeConfig: KubeConfig;
  readonly #credentials: CredentialSource;
  readonly #pool: ConnectionPool;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #onCall: ((metric: CallMetric) => void) | undefined;

  constructor(options: TransportOptions) {
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log ?? silentLog;
    this.#userAgent = options.userAgent;
    this.#onCall = options.onCall;
    this.#kubeConfig = loadKubeConfig(options);
    const cluster = this.#kubeConfig.getCurrentCluster();
    if (cluster === null || !URL.canParse(cluster.server)) {
      throw new KubeError({
        code: 'BadConfig',
        call: 'kubeconfig',
        message: 'the current context names no cluster with an address',
      });
    }
    const url = new URL(cluster.server);
    this.server = cluster.server;
    this.#origin = url.origin;
    this.#prefix = url.pathname.replace(/\/+$/, '');
    this.defaultNamespace =
      this.#kubeConfig.getContextObject(this.#kubeConfig.getCurrentContext())?.namespace || 'default';
    this.#credentials = new CredentialSource(this.#kubeConfig, this.#clock);
    this.#pool = new ConnectionPool(this.#kubeConfig);
  }

  async json(request: JsonRequest): Promise<unknown> {
    const call = `${request.method} ${request.path}`;
    const signal = request.signal ?? new AbortController().signal;
    for (let tries = 1; ; tries++) {
      try {
        return parseJson(call, await this.#send(call, request, signal));
      } catch (error) {
        const waitMs = retryDelayMs(error, request, tries);
        if (waitMs === undefined) throw error;
        this.#log.debug({ err: error, tries, waitMs }, 'a call to the API server is repeated');
        await pause(this.#clock, waitMs, signal);
        signal.throwIfAborted();
      }
    }
  }

  async #send(call: string, request: JsonRequest, signal: AbortSignal): Promise<Answer> {
    const limit = deadline(this.#clock, request.timeoutMs ?? CALL_MS, signal);
    const startedMs = this.#clock.nowMs();
    let code = 'aborted';
    try {
      limit.signal.throwIfAborted();
      const credentials = await this.#credentials.current();
      const sending = send(this.#url(request.path, request.query ?? {}), {
        ...this.#pool.for(credentials, 'shared'),
        method: request.method,
        headers: {
          ...this.#headers(credentials),
          ...(request.body === undefined ? {} : { 'content-type': request.contentType ?? 'application/json' }),
        },
        body: request.body === undefined ? undefined : JSON.stringify(request.body),
        signal: limit.signal,
      });
      // With the signal's own reason, where the connection only tells that it was cut.
      const answer = await interruptible(sending.then(readAnswer), limit.signal);
      code = String(answer.status);
      if (answer.status === 401) this.#credentials.invalidate();
      if (answer.status < 200 || answer.status > 299) {
        throw errorFromStatus(call, answer.status, jsonOrText(answer.text), answer.retryAfter);
      }
      return answer;
    } catch (error) {
      const failure = failureOf(call, error, signal);
      if (isKubeError(failure) && failure.status === 0) code = failure.code;
      throw failure;
    } finally {
      limit.cancel();
      this.#measure(request.method, request.path, code, startedMs);
    }
  }

  async *stream(
    path: string,
    query: Query,
    signal: AbortSignal,
    options: StreamOptions = {},
  ): AsyncGenerator<string, void> {
    const call = `WATCH ${path}`;
    const cut = new AbortController();
    const onAbort = (): void => cut.abort(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    const startedMs = this.#clock.nowMs();
    let code = 'aborted';
    let measured = false;
    const measure = (): void => {
      if (!measured) this.#measure('WATCH', path, code, startedMs);
      measured = true;
    };
    try {
      const response = await this.#open(path, query, cut, options);
      code = String(response.status);
      if (response.status !== 200) {
        const answer = await readAnswer(response);
        if (answer.status === 401) this.#credentials.invalidate();
        throw errorFromStatus(call, answer.status, jsonOrText(answer.text), answer.retryAfter);
      }
      measure();
      options.onOpen?.();
      const unfinished = yield* splitLines(response.body);
      if (unfinished !== '') {
        throw new KubeError({ code: 'Unreachable', call, message: 'the stream ended in the middle of a line' });
      }
    } catch (error) {
      const failure = failureOf(call, error, signal);
      if (isKubeError(failure) && code === 'aborted') code = failure.code;
      throw failure;
    } finally {
      measure();
      signal.removeEventListener('abort', onAbort);
      cut.abort();
    }
  }

  async #open(path: string, query: Query, cut: AbortController, options: StreamOptions): Promise<HttpResponse> {
    const limitMs = options.openTimeoutMs ?? OPEN_MS;
    const limit = deadline(this.#clock, limitMs);
    const onLimit = (): void => cut.abort(limit.signal.reason);
    limit.signal.addEventListener('abort', onLimit, { once: true });
    try {
      cut.signal.throwIfAborted();
      const credentials = await this.#credentials.current();
      const opening = send(this.#url(path, query), {
        ...this.#pool.for(credentials, options.connection ?? 'own'),
        headers: this.#headers(credentials),
        signal: cut.signal,
      });
      return await interruptible(opening, cut.signal);
    } finally {
      limit.cancel();
      limit.signal.removeEventListener('abort', onLimit);
    }
  }

  async portForward(namespace: string, pod: string, port: number, signal: AbortSignal): Promise<Duplex> {
    const startedMs = this.#clock.nowMs();
    let code = '101';
    try {
      const credentials = await this.#credentials.current();
      const server = new URL(`${this.#prefix}/`, this.#origin);
      const headers = this.#headers(credentials);
      return await openPortForward({ server, https: credentials.https, headers, namespace, pod, port }, signal);
    } catch (error) {
      code = isKubeError(error) ? error.code : 'aborted';
      if (isKubeError(error, 'Unauthorized')) this.#credentials.invalidate();
      throw error;
    } finally {
      this.#measure('CONNECT', `/api/v1/namespaces/${namespace}/pods/${pod}/portforward`, code, startedMs);
    }
  }

  async close(): Promise<void> {
    this.#pool.close();
  }

  #url(path: string, query: Query): string {
    return `${this.#origin}${withQuery(`${this.#prefix}${path}`, query)}`;
  }

  #headers(credentials: Credentials): Record<string, string> {
    return { accept: 'application/json', 'user-agent': this.#userAgent, ...credentials.headers };
  }

  #measure(verb: string, path: string, code: string, startedMs: number): void {
    this.#onCall?.({ verb, resource: resourceLabel(path), code, seconds: (this.#clock.nowMs() - startedMs) / 1000 });
  }
}

async function readAnswer({ status, headers, body }: HttpResponse): Promise<Answer> {
  return { status, text: await text(body), retryAfter: headers['retry-after'] };
}

function parseJson(call: string, answer: Answer): unknown {
  try {
    return JSON.parse(answer.text);
  } catch (error) {
    const message = `the answer is not JSON: ${JSON.stringify(answer.text.slice(0, 100))}`;
    throw new KubeError({ code: 'BadResponse', call, status: answer.status, message, cause: error });
  }
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * When to try again, if at all. 429 says that nothing was done; 401 may be a token that was rotated this second; a cut may have had an
 * effect, so only a read is repeated after one.
 */
function retryDelayMs(error: unknown, request: JsonRequest, tries: number): number | undefined {
  if (!isKubeError(error) || tries >= MAX_TRIES) return undefined;
  if (error.code === 'TooManyRequests') return Math.min(error.retryAfterMs ?? 1000, MAX_RETRY_AFTER_MS);
  if (error.code === 'Unauthorized') return tries === 1 ? 0 : undefined;
  if (error.code === 'Unreachable' && request.method === 'GET') return tries === 1 ? 0 : undefined;
  return undefined;
}
