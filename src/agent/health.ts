/** /healthz, /readyz and /metrics: for the kubelet and Prometheus. */
import { createServer } from 'node:http';
import type { Registry } from 'prom-client';

export interface Health {
  readonly alive: () => boolean;
  readonly ready: () => boolean;
  readonly registry: Registry;
}

/** Serves until the signal is aborted. Rejects when the port cannot be had. */
export async function serveHealth(port: number, health: Health, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const server = createServer((request, response) => {
    const path = request.url?.split('?')[0];
    const say = (well: boolean, otherwise: string): void => {
      response.writeHead(well ? 200 : 503).end(well ? 'ok\n' : `${otherwise}\n`);
    };
    if (path === '/healthz') say(health.alive(), 'the sampler or the event loop has stopped');
    else if (path === '/readyz') say(health.ready(), 'the caches are not synced');
    else if (path === '/metrics') {
      health.registry.metrics().then(
        (text) => response.writeHead(200, { 'content-type': health.registry.contentType }).end(text),
        (error: unknown) => response.writeHead(500).end(String(error)),
      );
    } else response.writeHead(404).end();
  });
  server.once('error', reject);
  server.listen(port);
  const close = (): void => {
    server.close(() => resolve());
    server.closeAllConnections();
  };
  if (signal.aborted) close();
  else signal.addEventListener('abort', close, { once: true });
  await promise;
}
