/** /healthz, /readyz and /metrics: for the kubelet and Prometheus, never for agents. */
import { createServer, type Server } from 'node:http';
import type { Registry } from 'prom-client';

export interface Health {
  readonly alive: () => boolean;
  readonly ready: () => boolean;
  readonly registry: Registry;
}

export function createHealthServer({ alive, ready, registry }: Health): Server {
  return createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://health').pathname;
    if (path === '/healthz') response.writeHead(alive() ? 200 : 503).end(alive() ? 'ok\n' : 'the loop has stopped\n');
    else if (path === '/readyz')
      response.writeHead(ready() ? 200 : 503).end(ready() ? 'ok\n' : 'caches are not synced\n');
    else if (path === '/metrics') {
      registry.metrics().then(
        (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
        (error: unknown) => response.writeHead(500).end(String(error)),
      );
    } else response.writeHead(404).end();
  });
}

/** Serves until the signal is aborted; connections in use get a second to finish. */
export async function serve(server: Server, port: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, () => {
    const close = (): void => {
      server.close(() => resolve());
      server.closeIdleConnections();
      setTimeout(() => server.closeAllConnections(), 1000).unref();
    };
    if (signal.aborted) close();
    else signal.addEventListener('abort', close, { once: true });
  });
  await promise;
}
