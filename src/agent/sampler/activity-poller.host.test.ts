/** Many metrics endpoints on this machine's loopback, some of which never answer. */
import { createServer, type Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { scrapeActivity } from '../../host/index.ts';
import { ActivityPoller, type Polled } from './activity-poller.ts';

const endpoints = 250;
const hanging = 8;
/** The poller's clock runs so much faster than the wall's, so that a minute of it takes 20 s. */
const haste = 3;

const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

async function listen(robots: number | null): Promise<string> {
  const server = createServer((_, response) => {
    if (robots !== null) response.end(`# TYPE robots gauge\nrobots ${robots}\n`);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}/metrics`;
}

let polled: Polled[] = [];
beforeAll(async () => {
  const urls = await Promise.all(
    Array.from({ length: endpoints }, (_, index) => listen(index < hanging ? null : index)),
  );
  polled = urls.map((url, index) => ({
    target: { key: `${index}`, activity: { kind: 'metric', url, name: 'robots' } },
    pids: [1],
  }));
});

it('of 250 endpoints, eight of which hang, the others’ robots are always known', async () => {
  const abort = new AbortController();
  const began = performance.now();
  const nowMs = (): number => (performance.now() - began) * haste;
  const poller = new ActivityPoller({
    scrape: (request) => scrapeActivity({ ...request, timeoutMs: Math.round(request.timeoutMs / haste) }),
    countConnections: () => Promise.reject(new Error('nobody counts connections here')),
    nowMs,
    signal: abort.signal,
  });
  const answering = polled.slice(hanging);
  const known = (): number => answering.filter(({ target }) => poller.reading(target)?.kind === 'count').length;
  const tick = async (): Promise<void> => {
    poller.poll(polled);
    await sleep(1000 / haste);
  };
  try {
    while (known() < answering.length && nowMs() < 60_000) await tick();
    const shares: number[] = [];
    for (const untilMs = nowMs() + 30_000; nowMs() < untilMs; await tick()) shares.push(known() / answering.length);
    const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
    // On a busy machine this process may not run for a while, and then nobody is asked.
    expect(mean).toBeGreaterThan(0.99);
    expect(answering.map(({ target }) => poller.reading(target))).toEqual(
      answering.map((_, index) => ({ kind: 'count', robots: hanging + index })),
    );
    for (const { target } of polled.slice(0, hanging))
      expect(poller.reading(target)).toMatchObject({ kind: 'unknown', reason: 'timeout' });
  } finally {
    abort.abort();
  }
});
