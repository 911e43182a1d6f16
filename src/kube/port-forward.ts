import type { IncomingMessage } from 'node:http';
import type { RequestOptions } from 'node:https';
import { Duplex } from 'node:stream';
import WebSocket from 'ws';
import { errorFromStatus, KubeError } from './errors.ts';
import { FrameReader, frameData } from './port-forward-frames.ts';

const PROTOCOL = 'v4.channel.k8s.io';
const OPEN_MS = 15_000;

export interface PortForwardTarget {
  /** Base address of the API server, with a path prefix that ends in a slash. */
  readonly server: URL;
  /** TLS material and agent, as `https.request` takes them. */
  readonly https: RequestOptions;
  readonly headers: Readonly<Record<string, string>>;
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
}

/**
 * A byte stream to a port on the pod's localhost, through the API server and the kubelet, over a WebSocket.
 * One duplex is one TCP connection in the pod. The protocol has no half-close: ending the writable side sends nothing, and the readable side
 * ends when the pod closes. A refusal inside the pod (nothing listens there) is a `KubeError`: of this call if it comes at once, else of the duplex.
 */
export async function openPortForward(target: PortForwardTarget, signal: AbortSignal): Promise<Duplex> {
  signal.throwIfAborted();
  const call = `PORTFORWARD ${target.namespace}/${target.pod}:${target.port}`;
  const path = `api/v1/namespaces/${encodeURIComponent(target.namespace)}/pods/${encodeURIComponent(target.pod)}/portforward`;
  const url = new URL(`${path}?ports=${target.port}`, target.server);
  url.protocol = url.protocol === 'http:' ? 'ws:' : 'wss:';
  const { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername, agent } = target.https;
  const socket = new WebSocket(url, PROTOCOL, {
    ...defined({ ca, cert, key, pfx, passphrase, rejectUnauthorized, servername, agent }),
    // The kubelet's router has no JSON to offer here and would answer 406 to a call that asks for it alone.
    headers: { ...target.headers, accept: '*/*' },
    handshakeTimeout: OPEN_MS,
    perMessageDeflate: false,
  });
  // Before it opens: the kubelet's first frames may come in one packet with its consent.
  const duplex = new PortForwardDuplex(socket, call);
  await opened(socket, call, signal);
  if (duplex.errored !== null) throw duplex.errored;
  duplex.endWith(signal);
  return duplex;
}

function defined<T extends object>(options: T): Partial<T> {
  const kept: Partial<T> = { ...options };
  for (const name of Object.keys(kept)) if (Reflect.get(kept, name) === undefined) Reflect.deleteProperty(kept, name);
  return kept;
}

function opened(socket: WebSocket, call: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      settle();
      // A socket that is given up while it connects reports that once more.
      socket.on('error', () => {});
      socket.terminate();
      reject(error);
    };
    const onAbort = (): void => fail(signal.reason);
    const onError = (error: Error): void =>
      fail(new KubeError({ code: 'Unreachable', call, message: error.message, cause: error }));
    const onRefused = (_request: unknown, response: IncomingMessage): void => {
      void readRefusal(call, response).then(fail, fail);
    };
    const onOpen = (): void => {
      settle();
      resolve();
    };
    const settle = (): void => {
      signal.removeEventListener('abort', onAbort);
      socket.off('open', onOpen).off('error', onError).off('unexpected-response', onRefused);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    socket.on('open', onOpen).on('error', onError).on('unexpected-response', onRefused);
  });
}

async function readRefusal(call: string, response: IncomingMessage): Promise<KubeError> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(Buffer.from(chunk));
  const text = Buffer.concat(chunks).toString('utf8');
  let body: unknown = text;
  try {
    body = JSON.parse(text);
  } catch {
    // The kubelet answers in plain text; that is the message then.
  }
  return errorFromStatus(call, response.statusCode ?? 0, body);
}

class PortForwardDuplex extends Duplex {
  readonly #socket: WebSocket;
  #release: () => void = () => {};

  constructor(socket: WebSocket, call: string) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    // A refusal may come before anybody can listen; it must not end the process. Listeners of the caller hear it all the same.
    this.on('error', () => {});
    const frames = new FrameReader(call);
    socket.on('message', (data: WebSocket.RawData) => {
      const frame = frames.read(toBuffer(data));
      if (frame.type === 'data' && !this.push(frame.bytes)) socket.pause();
      if (frame.type === 'error') this.destroy(frame.error);
    });
    socket.once('open', () => {
      socket.on('close', () => this.push(null));
      socket.on('error', (error) =>
        this.destroy(new KubeError({ code: 'Unreachable', call, message: error.message, cause: error })),
      );
    });
  }

  /** An abort from now on destroys the duplex with the signal's reason. */
  endWith(signal: AbortSignal): void {
    const onAbort = (): void => {
      this.destroy(asError(signal.reason));
    };
    signal.addEventListener('abort', onAbort, { once: true });
    this.#release = () => signal.removeEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
  }

  override _read(): void {
    // Before it is open there is nothing to resume.
    if (this.#socket.readyState !== WebSocket.CONNECTING) this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.send(frameData(chunk), done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#release();
    this.#socket.terminate();
    done(error);
  }
}

function toBuffer(data: WebSocket.RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
