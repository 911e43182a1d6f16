import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { afterEach, describe, expect, test } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { until } from '../../test/support/until.ts';
import { type CallMetric, createTransport, type Transport, type TransportOptions } from './transport.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

async function serve(answer: Answer, options: Partial<TransportOptions> & { user?: object; prefix?: string } = {}) {
  const asked: { method: string; url: string; headers: IncomingMessage['headers']; body: string; port: number }[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    const body = Buffer.concat(chunks).toString();
    const { method = '', url = '', headers, socket } = request;
    asked.push({ method, url, headers, body, port: socket.remotePort ?? 0 });
    answer(request, response, body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromClusterAndUser(
    { name: 'test', server: `http://127.0.0.1:${port}${options.prefix ?? ''}`, skipTLSVerify: true },
    { name: 'tester', ...(options.user ?? { token: 'secret' }) },
  );
  const calls: CallMetric[] = [];
  const transport = createTransport({
    kubeConfig,
    userAgent: 'robotgc/1 test',
    onCall: (metric) => calls.push(metric),
    ...options,
  });
  cleanups.push(async () => {
    await transport.close();
    server.closeAllConnections();
    server.close();
  });
  return { transport, asked, calls, server };
}

const ok: Answer = (_request, response) => response.end('{"ok":true}\n');
const status =
  (code: number, reason: string, headers: Record<string, string> = {}): Answer =>
  (_request, response) => {
    response.writeHead(code, headers);
    response.end(JSON.stringify({ kind: 'Status', code, reason, message: `said ${reason}` }));
  };
/** The first answer for the first request, and so on; the last for all that follow. */
const inTurn = (...answers: Answer[]): Answer => {
  let turn = 0;
  return (request, response, body) => answers[Math.min(turn++, answers.length - 1)]?.(request, response, body);
};
const failure = async (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'it did not fail',
    (error: unknown) => error,
  );
const read = async (lines: AsyncIterable<string>): Promise<string[]> => {
  const all: string[] = [];
  for await (const line of lines) all.push(line);
  return all;
};
const never = new AbortController().signal;

describe('a call', () => {
  test('carries who asks, what for, and JSON', async () => {
    const { transport, asked, calls } = await serve(ok, { prefix: '/clusters/one/' });
    const answer = await transport.json({
      method: 'PATCH',
      path: '/apis/apps/v1/namespaces/robots/deployments/dispatch/status',
      query: { fieldManager: 'robotgc', force: true, dryRun: undefined },
      body: { spec: 'ünicode' },
      contentType: 'application/apply-patch+yaml',
    });
    expect(answer).toEqual({ ok: true });
    expect(asked[0]).toMatchObject({
      method: 'PATCH',
      url: '/clusters/one/apis/apps/v1/namespaces/robots/deployments/dispatch/status?fieldManager=robotgc&force=true',
      body: '{"spec":"ünicode"}',
    });
    expect(asked[0]?.headers).toMatchObject({
      authorization: 'Bearer secret',
      'user-agent': 'robotgc/1 test',
      'content-type': 'application/apply-patch+yaml',
    });
    expect(calls).toEqual([
      { verb: 'PATCH', resource: 'deployments/status', code: '200', seconds: expect.any(Number) },
    ]);
  });

  test('shares connections with the next; a stream has one of its own (T1)', async () => {
    const { transport, asked } = await serve(ok);
    const ports = async (calls: number, call: () => Promise<unknown>): Promise<Set<number>> => {
      asked.length = 0;
      for (let done = 0; done < calls; done++) await call();
      return new Set(asked.map(({ port }) => port));
    };
    const stream = (connection: 'own' | 'shared') => () =>
      failure(read(transport.stream('/x', {}, never, { connection })));
    // A connection may still be finishing with its last answer when the next call starts: then there are two.
    const shared = await ports(20, () => transport.json({ method: 'GET', path: '/version' }));
    expect(shared.size).toBeLessThanOrEqual(2);
    expect((await ports(5, stream('own'))).size).toBe(5);
    for (const port of await ports(5, stream('own'))) expect(shared).not.toContain(port);
    expect((await ports(5, stream('shared'))).size).toBeLessThanOrEqual(2);
  });
});

describe('failures (T2)', () => {
  test("the server's word", async () => {
    const { transport, calls } = await serve(status(404, 'NotFound'));
    expect(await failure(transport.json({ method: 'GET', path: '/api/v1/namespaces/x/pods/y' }))).toMatchObject({
      code: 'NotFound',
      status: 404,
      message: 'GET /api/v1/namespaces/x/pods/y: NotFound: said NotFound',
    });
    expect(calls).toMatchObject([{ verb: 'GET', resource: 'pods', code: '404' }]);
  });

  test('no server', async () => {
    const { transport, server, calls } = await serve(ok);
    server.closeAllConnections();
    server.close();
    const error = await failure(transport.json({ method: 'POST', path: '/x' }));
    expect(error).toMatchObject({ code: 'Unreachable', status: 0, message: expect.stringContaining('ECONNREFUSED') });
    expect(calls).toMatchObject([{ code: 'Unreachable' }]);
  });

  test('no answer in time, to a call and to the opening of a stream', async () => {
    const clock = new ManualClock();
    const { transport, asked } = await serve(() => {}, { clock });
    const call = failure(transport.json({ method: 'POST', path: '/x', timeoutMs: 500 }));
    const stream = failure(read(transport.stream('/x', {}, never, { openTimeoutMs: 500 })));
    await until('both asked', () => asked.length === 2);
    clock.advance(500);
    expect(await call).toMatchObject({ code: 'Timeout' });
    expect(await stream).toMatchObject({ code: 'Timeout' });
    expect(clock.pending).toBe(0);
  });

  test('an answer that is no JSON', async () => {
    const { transport } = await serve((_request, response) => response.end('<html>hello</html>'));
    expect(await failure(transport.json({ method: 'GET', path: '/x' }))).toMatchObject({
      code: 'BadResponse',
      message: expect.stringContaining('<html>'),
    });
  });

  test("an abort is the signal's own reason, before, during and after the head", async () => {
    const { transport, asked } = await serve((request, response) => {
      if (request.url === '/stream') response.write('line\n');
    });
    const reason = new Error('enough');
    expect(await failure(transport.json({ method: 'GET', path: '/x', signal: AbortSignal.abort(reason) }))).toBe(
      reason,
    );
    const stop = new AbortController();
    const call = failure(transport.json({ method: 'GET', path: '/x', signal: stop.signal }));
    const lines: string[] = [];
    const stream = (async () => {
      for await (const line of transport.stream('/stream', {}, stop.signal)) lines.push(line);
    })();
    await until('both under way', () => asked.length === 2 && lines.length === 1);
    stop.abort(reason);
    expect(await call).toBe(reason);
    expect(await failure(stream)).toBe(reason);
  });

  test('an abort does not wait for a connection that is never made', async () => {
    const silent = createTcpServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const kubeConfig = new KubeConfig();
    const { port } = silent.address() as AddressInfo;
    kubeConfig.loadFromClusterAndUser(
      { name: 'c', server: `https://127.0.0.1:${port}`, skipTLSVerify: true },
      { name: 'u' },
    );
    const transport = createTransport({ kubeConfig, userAgent: 'test' });
    cleanups.push(async () => {
      await transport.close();
      silent.close();
    });
    const stop = new AbortController();
    const call = failure(transport.json({ method: 'GET', path: '/x', signal: stop.signal }));
    const stream = failure(read(transport.stream('/x', {}, stop.signal)));
    await new Promise((resolve) => setTimeout(resolve, 100));
    const abortedMs = performance.now();
    stop.abort(new Error('enough'));
    expect([await call, await stream]).toEqual([stop.signal.reason, stop.signal.reason]);
    expect(performance.now() - abortedMs).toBeLessThan(500);
  });

  test('an address or a file that cannot be used', async () => {
    expect(() => createTransport({ kubeconfigPath: '/nowhere', userAgent: 'x' })).toThrow(
      /BadConfig: \/nowhere cannot be used/,
    );
    const { transport } = await serve(ok, {
      user: { authProvider: { name: 'tokenFile', config: { tokenFile: '/nowhere' } } },
    });
    expect(await failure(transport.json({ method: 'GET', path: '/x' }))).toMatchObject({ code: 'BadConfig' });
  });
});

describe('trying again (T4)', () => {
  test('429, after what the server asks for, whatever the method', async () => {
    const clock = new ManualClock();
    const { transport, asked } = await serve(inTurn(status(429, 'TooManyRequests', { 'retry-after': '3' }), ok), {
      clock,
    });
    const call = transport.json({ method: 'POST', path: '/x' });
    // Not yet while the timer that is pending is the deadline of the first answer.
    await until('it waits for as long', () => asked.length === 1 && clock.nextAtMs === clock.nowMs() + 3_000);
    clock.advance(2_900);
    expect(asked).toHaveLength(1);
    clock.advance(100);
    expect(await call).toEqual({ ok: true });
  });

  test('429 without end is an error at last', async () => {
    const { transport, asked } = await serve(status(429, 'TooManyRequests', { 'retry-after': '0' }));
    expect(await failure(transport.json({ method: 'POST', path: '/x' }))).toMatchObject({ code: 'TooManyRequests' });
    expect(asked).toHaveLength(4);
  });

  test.each([
    ['GET', 2],
    ['POST', 1],
    ['PATCH', 1],
  ] as const)('a %s that was cut is sent %i times', async (method, times) => {
    const { transport, asked } = await serve((request) => request.socket.destroy());
    expect(await failure(transport.json({ method, path: '/x' }))).toMatchObject({ code: 'Unreachable' });
    expect(asked).toHaveLength(times);
  });

  test('a connection that the server has closed meanwhile is no failure', async () => {
    const { transport, server } = await serve(ok);
    for (let call = 0; call < 3; call++) {
      await transport.json({ method: 'GET', path: '/x' });
      server.closeAllConnections();
    }
  });
});

describe('credentials (T3)', () => {
  async function tokenFile() {
    const dir = await mkdtemp(join(tmpdir(), 'robotgc-token-'));
    cleanups.push(() => rm(dir, { recursive: true }));
    const path = join(dir, 'token');
    await writeFile(path, 'first\n');
    return { path, user: { authProvider: { name: 'tokenFile', config: { tokenFile: path } } } };
  }
  const tokens = (asked: readonly { headers: IncomingMessage['headers'] }[]): unknown[] =>
    asked.map(({ headers }) => headers.authorization);
  const get = (transport: Transport): Promise<unknown> => transport.json({ method: 'GET', path: '/x' });

  test('a token file is read again after ten seconds', async () => {
    const clock = new ManualClock();
    const { path, user } = await tokenFile();
    const { transport, asked } = await serve(ok, { user, clock });
    await get(transport);
    await writeFile(path, 'second');
    await get(transport);
    clock.advance(10_000);
    await get(transport);
    expect(tokens(asked)).toEqual(['Bearer first', 'Bearer first', 'Bearer second']);
  });

  test('and at once when the server refuses it', async () => {
    const { path, user } = await tokenFile();
    const { transport, asked } = await serve(
      (request, response, body) =>
        (request.headers.authorization === 'Bearer second' ? ok : status(401, 'Unauthorized'))(request, response, body),
      { user },
    );
    expect(await failure(get(transport))).toMatchObject({ code: 'Unauthorized' });
    await writeFile(path, 'second');
    expect(await get(transport)).toEqual({ ok: true });
    expect(tokens(asked)).toEqual(['Bearer first', 'Bearer first', 'Bearer second']);
  });

  test('a name and a password', async () => {
    const { transport, asked } = await serve(ok, { user: { username: 'u', password: 'p' } });
    await get(transport);
    expect(tokens(asked)).toEqual([`Basic ${Buffer.from('u:p').toString('base64')}`]);
  });
});

describe('a stream', () => {
  test('lines whole, however the bytes are cut, also within a character', async () => {
    const text = 'ä'.repeat(300);
    const bytes = Buffer.from(`${text}\n\n${text}x\n`);
    const { transport } = await serve(async (_request, response) => {
      for (let from = 0; from < bytes.length; from += 7) {
        response.write(bytes.subarray(from, from + 7));
        await new Promise((resolve) => setImmediate(resolve));
      }
      response.end();
    });
    expect(await read(transport.stream('/x', {}, never))).toEqual([text, '', `${text}x`]);
  });

  test('an unfinished last line is a cut, and not delivered', async () => {
    const { transport } = await serve((_request, response) => response.end('whole\nhal'));
    const lines: string[] = [];
    const all = (async () => {
      for await (const line of transport.stream('/x', {}, never)) lines.push(line);
    })();
    expect(await failure(all)).toMatchObject({ code: 'Unreachable' });
    expect(lines).toEqual(['whole']);
  });

  test('leaving it early closes its connection', async () => {
    let open = 0;
    const { transport } = await serve((request, response) => {
      open++;
      request.socket.on('close', () => open--);
      response.write('one\ntwo\n');
    });
    for await (const line of transport.stream('/x', {}, never)) {
      expect(line).toBe('one');
      break;
    }
    await until('the connection is closed', () => open === 0);
  });

  test('a refusal is an error with its status', async () => {
    const { transport } = await serve(status(410, 'Expired'));
    expect(await failure(read(transport.stream('/x', {}, never)))).toMatchObject({ code: 'Gone', status: 410 });
  });
});
