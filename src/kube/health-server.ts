/** A manager's health over HTTP, for the kubelet and Prometheus: /healthz, /readyz and /metrics. */
import { createServer, type Server } from 'node:http';
import type { Registry } from 'prom-client';

export interface Health {
  readonly alive: () => boolean;
  readonly ready: () => boolean;
  readonly registry: Registry;
}

/** Serves until the signal is aborted. Rejects when the port cannot be had. */
export function serveHealth(port: number, { alive, ready, registry }: Health, signal: AbortSignal): Promise<void> {
  const server = createServer((request, response) => {
    const path = request.url?.split('?')[0];
    const say = (well: boolean, otherwise: string): void => {
      response.writeHead(well ? 200 : 503).end(well ? 'ok\n' : `${otherwise}\n`);
    };
    if (path === '/healthz') say(alive(), 'the loop has stopped');
    else if (path === '/readyz') say(ready(), 'the caches are not synced');
    else if (path === '/metrics') {
      registry.metrics().then(
        (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
        (error: unknown) => response.writeHead(500).end(String(error)),
      );
    } else response.writeHead(404).end();
  });
  return serveHttp(server, port, signal);
}

/** Serves until the signal is aborted; connections in use then get a second to finish. Rejects when the port cannot be had. */
export async function serveHttp(server: Server, port: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const close = (): void => {
    server.close(() => resolve());
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), 1000).unref();
  };
  server.once('error', reject);
  server.listen(port, () => {
    if (signal.aborted) close();
    else signal.addEventListener('abort', close, { once: true });
  });
  await promise;
}
