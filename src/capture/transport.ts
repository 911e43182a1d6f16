import { type IncomingMessage, request } from 'node:http';
import type { Duplex } from 'node:stream';
import { CaptureError, type DuplexFactory, type PprofResponse, type PprofTransport } from './types.ts';

/** Response headers of a Go server take a few hundred bytes. */
const maxHeaderBytes = 16 * 1024;

/**
 * HTTP/1.1 over any byte stream, one stream a request, parsed by Node. No redirects, no compression, no cookies, no proxy.
 * @param host value of the Host header, for servers that check it
 */
export function httpTransport(
  connect: DuplexFactory,
  options: { host: string; connectTimeoutMs: number },
): PprofTransport {
  return {
    get: async (path, signal) => {
      signal.throwIfAborted();
      const stream = await connectWithin(connect, options.connectTimeoutMs, signal);
      const onAbort = () => stream.destroy(toError(signal.reason));
      signal.addEventListener('abort', onAbort, { once: true });
      stream.once('close', () => signal.removeEventListener('abort', onAbort));
      try {
        signal.throwIfAborted();
        return responseOf(await send(stream, path, options.host), stream, signal);
      } catch (error) {
        stream.destroy();
        signal.throwIfAborted();
        throw toCaptureError(error);
      }
    },
  };
}

/** The limit ends with the connecting: whoever makes the stream may hold on to the signal for as long as it lives. */
async function connectWithin(connect: DuplexFactory, timeoutMs: number, signal: AbortSignal): Promise<Duplex> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), timeoutMs);
  try {
    return await connect(AbortSignal.any([signal, deadline.signal]));
  } catch (error) {
    signal.throwIfAborted();
    if (deadline.signal.aborted) {
      throw new CaptureError(
        'unreachable',
        `no connection within ${timeoutMs} ms; does a network policy drop it?`,
        error,
      );
    }
    if (error instanceof CaptureError) throw error;
    throw new CaptureError('unreachable', `cannot connect: ${toError(error).message}`, error);
  } finally {
    clearTimeout(timer);
  }
}

function send(stream: Duplex, path: string, host: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = request({
      createConnection: () => stream,
      method: 'GET',
      path,
      headers: { host, accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'robotgc', connection: 'close' },
      maxHeaderSize: maxHeaderBytes,
      insecureHTTPParser: false,
    });
    outgoing.once('response', resolve);
    outgoing.on('error', reject);
    outgoing.once('upgrade', (_response, socket) => {
      socket.destroy();
      reject(new CaptureError('protocol', 'the server switched protocols; this is not a pprof endpoint'));
    });
    outgoing.end();
  });
}

function responseOf(incoming: IncomingMessage, stream: Duplex, signal: AbortSignal): PprofResponse {
  const headers = Object.fromEntries(
    Object.entries(incoming.headers).map(([name, value]) => [name, [value].flat().join(', ')]),
  );
  return { status: incoming.statusCode ?? 0, headers, body: bodyOf(incoming, stream, signal) };
}

async function* bodyOf(incoming: IncomingMessage, stream: Duplex, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of incoming) yield chunk;
    if (!incoming.complete) throw new CaptureError('truncated', 'the connection ended in the middle of the answer');
  } catch (error) {
    signal.throwIfAborted();
    throw toCaptureError(error);
  } finally {
    stream.destroy();
  }
}

function toCaptureError(error: unknown): CaptureError {
  if (error instanceof CaptureError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const { message } = toError(error);
  if (code.startsWith('HPE_')) {
    return new CaptureError(
      'protocol',
      `the answer is not HTTP (${code}); is this the pprof port, and is it plain HTTP?`,
      error,
    );
  }
  if (code === 'ECONNRESET' || code === 'EPIPE' || /aborted|premature/i.test(message)) {
    return new CaptureError(
      'truncated',
      'the connection ended before the whole answer had come; did the process end?',
      error,
    );
  }
  return new CaptureError('protocol', `the request failed: ${message}`, error);
}

function toError(value: unknown): Error {
  return value instanceof Error ? value : new Error(String(value));
}
