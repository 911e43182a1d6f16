/**
 * The agents' door: signal windows and bundles come in, nothing goes out but an acknowledgement.
 * Only the leader takes them; the other replica answers 503 `not-leader` and the agent tries again.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { receiveBundle, TransferError } from '../../bundle/index.ts';
import type { Log } from '../../kube/index.ts';
import { SignalWindow } from '../../model/index.ts';
import type { OperatorMetrics } from '../metrics.ts';
import type { SignalStore } from '../signals.ts';
import type { Authenticator } from './authenticate.ts';
import type { Incoming } from './incoming.ts';
import { readLines } from './lines.ts';

const MAX_BUNDLE_BYTES = 256 * 1024 * 1024;
const MAX_WINDOWS_BYTES = 16 * 1024 * 1024;
const BUNDLE_PATH = /^\/v1\/bundles\/([^/]+)\/([^/]+)$/;

export interface IngestOptions {
  readonly identity: string;
  readonly isLeader: () => boolean;
  readonly authenticator: Authenticator;
  readonly signals: SignalStore;
  readonly incoming: Incoming;
  /** Whether the incident exists and still waits for its bundle; evidence for nothing is not kept. */
  readonly expects: (namespace: string, incident: string) => 'yes' | 'unknown' | 'has-one';
  readonly onBundle: (namespace: string, incident: string) => void;
  readonly publicKeyPem: string;
  readonly metrics: OperatorMetrics;
  readonly log: Log;
}

type Answer = { readonly status: number; readonly body?: object; readonly text?: string };

export function createIngestServer(options: IngestOptions, tls: { cert: Buffer; key: Buffer } | undefined): Server {
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const closed = new AbortController();
    response.once('close', () => closed.abort());
    answer(request, options, closed.signal)
      .catch((error: unknown): Answer => failure(error, options.log))
      .then((reply) => send(response, reply, options.identity))
      .catch((error: unknown) => options.log.warn({ err: error }, 'an answer could not be sent'));
  };
  const server = tls ? createTlsServer({ ...tls, minVersion: 'TLSv1.3' }, handle) : createServer(handle);
  server.requestTimeout = 180_000;
  server.headersTimeout = 10_000;
  server.maxConnections = 1000;
  return server;
}

async function answer(request: IncomingMessage, options: IngestOptions, signal: AbortSignal): Promise<Answer> {
  const path = new URL(request.url ?? '/', 'http://operator').pathname;
  if (request.method === 'GET' && path === '/v1/signing-key.pem') return { status: 200, text: options.publicKeyPem };
  const bundle = BUNDLE_PATH.exec(path);
  if (request.method !== 'POST' || (path !== '/v1/windows' && !bundle))
    return refuse(404, 'not-found', `nothing is at ${path}`);

  const caller = await options.authenticator.identify(request.headers.authorization, signal);
  if (caller.type === 'refused') return refuse(401, 'unauthorized', caller.message);
  if (!options.isLeader()) return refuse(503, 'not-leader', 'this replica does not lead; try again to meet the leader');
  return bundle ? takeBundle(request, options, bundle[1] ?? '', bundle[2] ?? '') : takeWindows(request, options);
}

async function takeWindows(request: IncomingMessage, options: IngestOptions): Promise<Answer> {
  const windows: SignalWindow[] = [];
  for await (const line of readLines(request, MAX_WINDOWS_BYTES)) {
    const window = SignalWindow.safeParse(line);
    if (!window.success) {
      options.metrics.ingested('windows', 'refused');
      return refuse(400, 'bad-window', `line ${windows.length + 1} is not a signal window`);
    }
    windows.push(window.data);
  }
  for (const window of windows) options.signals.add(window);
  options.metrics.ingested('windows', 'ok');
  return { status: 204 };
}

async function takeBundle(
  request: IncomingMessage,
  { incoming, expects, onBundle, metrics }: IngestOptions,
  namespace: string,
  incident: string,
): Promise<Answer> {
  const expected = expects(namespace, incident);
  if (expected === 'unknown') return refuse(404, 'no-incident', `there is no incident ${namespace}/${incident}`);
  const received = await receiveBundle(request, { folder: incoming.folder, maxBytes: MAX_BUNDLE_BYTES });
  if (expected === 'yes') {
    await incoming.take(received.file, namespace, incident);
    onBundle(namespace, incident);
  } else {
    await incoming.discardFile(received.file);
  }
  metrics.ingested('bundle', 'ok');
  return { status: 201, body: { sha256: received.sha256 } };
}

function refuse(status: number, code: string, message: string): Answer {
  return { status, body: { code, message } };
}

function failure(error: unknown, log: Log): Answer {
  if (error instanceof TransferError) return refuse(error.httpStatus, error.code, error.message);
  if (error instanceof RangeError) return refuse(400, 'bad-request', error.message);
  log.error({ err: error }, 'a delivery failed');
  return refuse(500, 'failed', 'the delivery failed; the operator log says why');
}

function send(response: ServerResponse, { status, body, text }: Answer, identity: string): void {
  if (response.destroyed) return;
  response.setHeader('robotgc-leader', identity);
  if (!response.req.complete) response.setHeader('connection', 'close');
  if (text !== undefined) response.writeHead(status, { 'content-type': 'application/x-pem-file' }).end(text);
  else if (body) response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  else response.writeHead(status).end();
}
