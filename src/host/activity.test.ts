import { createServer, type RequestListener, type Server } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { scrapeActivity } from './activity.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}/metrics`;
}

const scrape = (
  url: string,
  extra: { timeoutMs?: number; signal?: AbortSignal; labels?: Record<string, string> } = {},
) => scrapeActivity({ url, name: 'robot_active_sessions', timeoutMs: 2000, ...extra });

describe('scrape of the activity metric', () => {
  it('sums the samples', async () => {
    const url = await serve((_request, response) =>
      response.end('robot_active_sessions{shard="0"} 3\nrobot_active_sessions{shard="1"} 4\n'),
    );
    expect(await scrape(url)).toEqual({ kind: 'ok', value: 7 });
    expect(await scrape(url, { labels: { shard: '1' } })).toEqual({ kind: 'ok', value: 4 });
    expect(await scrape(url, { labels: { shard: '2' } })).toMatchObject({
      code: 'metric-missing',
      message: expect.stringContaining('shard="2"'),
    });
  });

  it.each([
    ['application/openmetrics-text; version=1.0.0; charset=utf-8', 'robot_active_sessions 3\n# EOF\n', { value: 3 }],
    ['application/openmetrics-text; version=1.0.0; charset=utf-8', 'robot_active_sessions 3\n', { code: 'truncated' }],
    ['text/plain; version=0.0.4; charset=utf-8', 'robot_active_sessions 3\n', { value: 3 }],
    ['application/octet-stream', 'robot_active_sessions 3\n', { value: 3 }],
  ])('reads an answer by its type: %s, %j', async (type, body, expected) => {
    const asked: (string | undefined)[] = [];
    const url = await serve((request, response) => {
      asked.push(request.headers.accept);
      response.setHeader('content-type', type).end(body);
    });
    expect(await scrape(url)).toMatchObject(expected);
    expect(asked).toEqual([expect.stringMatching(/^application\/openmetrics-text;version=1\.0\.0,text\/plain/)]);
  });

  it.each(['-1', '+Inf', '-Inf'])('%s robots are no count', async (value) => {
    const url = await serve((_request, response) => response.end(`robot_active_sessions ${value}\n`));
    expect(await scrape(url)).toMatchObject({ kind: 'failed', code: 'not-a-count' });
  });

  it('joins characters that arrive in two parts', async () => {
    const url = await serve((_request, response) => {
      const body = Buffer.from('other{l="ü"} 1\nrobot_active_sessions 5\n');
      response.write(body.subarray(0, body.indexOf(0xbc)));
      setTimeout(() => response.end(body.subarray(body.indexOf(0xbc))), 20);
    });
    expect(await scrape(url)).toMatchObject({ value: 5 });
  });

  it('follows no redirect', async () => {
    const hits: (string | undefined)[] = [];
    const url = await serve((request, response) => {
      hits.push(request.url);
      response.writeHead(302, { location: '/elsewhere' }).end();
    });
    expect(await scrape(url)).toMatchObject({ kind: 'failed', code: 'redirect' });
    expect(hits).toEqual(['/metrics']);
  });

  it('stops at 4 MiB', async () => {
    let sent = 0;
    const url = await serve((_request, response) => {
      const chunk = Buffer.alloc(256 * 1024, '#');
      const more = (): void => {
        while (!response.destroyed && response.write(chunk)) sent += chunk.length;
        sent += chunk.length;
      };
      response.on('drain', more);
      more();
    });
    expect(await scrape(url)).toMatchObject({ code: 'too-large' });
    expect(sent).toBeLessThan(64 * 1024 * 1024);
  });

  it('gives up after its time, before and within the answer', async () => {
    const silent = await serve(() => undefined);
    expect(await scrape(silent, { timeoutMs: 100 })).toMatchObject({ code: 'timeout' });
    const stuck = await serve((_request, response) => response.write('robot_active_sessions 1'));
    expect(await scrape(stuck, { timeoutMs: 100 })).toMatchObject({ code: 'timeout' });
  });

  it('can be called off', async () => {
    const url = await serve(() => undefined);
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 50);
    expect(await scrape(url, { signal: controller.signal })).toMatchObject({ code: 'aborted' });
    expect(await scrape(url, { signal: AbortSignal.abort() })).toMatchObject({ code: 'aborted' });
  });

  it.each([
    [404, 'status'],
    [503, 'status'],
    [204, 'status'],
  ])('status %i', async (status, code) => {
    const url = await serve((_request, response) => response.writeHead(status).end());
    expect(await scrape(url)).toMatchObject({ code, message: expect.stringContaining(String(status)) });
  });

  it('says what it could not read', async () => {
    const url = await serve((_request, response) => response.end('robot_active_sessions many\n'));
    expect(await scrape(url)).toMatchObject({
      code: 'malformed',
      message: expect.stringContaining('robot_active_sessions many'),
    });
  });

  it('nobody listens, no such scheme', async () => {
    const url = await serve(() => undefined);
    servers.pop()?.close();
    expect(await scrape(url)).toMatchObject({ code: 'unreachable' });
    expect(await scrape('file:///etc/passwd')).toMatchObject({ code: 'unreachable' });
    expect(await scrape('not a url')).toMatchObject({ code: 'unreachable' });
  });
});
