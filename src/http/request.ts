/**
 * One request, with nothing in its way: no redirect, no retry, no decoding. Node's own client and its native parser; a client with a parser
 * of its own in WebAssembly makes each agent 15 MB larger.
 */
import { type Agent, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import type { Socket } from 'node:net';
import { pipeline, type Readable } from 'node:stream';

export type Tls = Pick<
  RequestOptions,
  'ca' | 'cert' | 'key' | 'pfx' | 'passphrase' | 'rejectUnauthorized' | 'servername'
>;

export interface HttpRequest {
  /** Default GET. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Readable | undefined;
  /** Aborting cuts the connection, whatever part of the answer has come. */
  readonly signal?: AbortSignal;
  /** Connections to choose from. Default: one for this request alone. */
  readonly agent?: Agent;
  readonly tls?: Tls;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** To be read to its end, or destroyed: till then its connection is in use. */
  readonly body: IncomingMessage;
}

const connectMs = 10_000;
/** As client-go does it: below what load balancers take for idle. */
const keepAliveMs = 30_000;

/** Resolves with the head of the answer. @throws Error of the network, or one with the signal's reason as its cause */
export function request(url: string | URL, options: HttpRequest = {}): Promise<HttpResponse> {
  const { method = 'GET', headers = {}, body, signal, agent = false, tls = {} } = options;
  return new Promise((resolve, reject) => {
    const target = new URL(url);
    const send = target.protocol === 'https:' ? httpsRequest : httpRequest;
    const call = send(target, { ...tls, method, headers: { ...headers }, agent, ...(signal ? { signal } : {}) });
    // Of a DELETE Node would not tell it, and the server would take the body for the next request.
    if (typeof body === 'string') call.setHeader('content-length', Buffer.byteLength(body));
    call.on('error', reject);
    call.on('socket', (socket) => watchOver(socket, target.protocol, (error) => call.destroy(error)));
    call.on('response', (response) =>
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: response }),
    );
    if (body === undefined || typeof body === 'string') call.end(body);
    else pipeline(body, call, (error) => error && reject(error));
  });
}

/** A new connection has a time limit, and says when the other side has silently gone. */
function watchOver(socket: Socket, protocol: string, fail: (error: Error) => void): void {
  if (!socket.connecting) return;
  socket.setKeepAlive(true, keepAliveMs);
  const timer = setTimeout(() => fail(new ConnectTimeout()), connectMs);
  const done = (): void => clearTimeout(timer);
  socket.once(protocol === 'https:' ? 'secureConnect' : 'connect', done).once('close', done);
}

class ConnectTimeout extends Error {
  readonly code = 'ETIMEDOUT';

  constructor() {
    super(`no connection within ${connectMs / 1000} s`);
  }
}
