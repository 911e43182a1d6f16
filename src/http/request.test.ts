import { once } from 'node:events';
import { Agent, createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, test } from 'vitest';
import { request } from './index.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const clean of cleanups.splice(0)) clean();
});

async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  cleanups.push(() => server.closeAllConnections());
  return listening(server);
}

const echo: RequestListener = async (asked, response) => {
  const { method, url, headers } = asked;
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ method, url, length: headers['content-length'], body: await text(asked) }));
};

describe('a request', () => {
  test.each([
    ['text, with its length', 'grüße', '7'],
    ['a stream, in parts', Readable.from(['grü', 'ße']), undefined],
    ['nothing', undefined, '0'],
  ])('sends %s', async (_, body, length) => {
    const url = await serve(echo);
    const { status, headers, body: answer } = await request(`${url}/a?b=c`, { method: 'POST', body });
    expect([status, headers['content-type']]).toEqual([200, 'application/json']);
    const said = { method: 'POST', url: '/a?b=c', body: body === undefined ? '' : 'grüße' };
    expect(JSON.parse(await text(answer))).toEqual({ ...said, ...(length === undefined ? {} : { length }) });
  });

  test('sends what a DELETE says, and the next request over the same connection', async () => {
    const url = await serve(echo);
    const agent = new Agent({ keepAlive: true });
    cleanups.push(() => agent.destroy());
    const { body } = await request(url, { method: 'DELETE', body: '{"of":"this"}', agent });
    expect(JSON.parse(await text(body))).toMatchObject({ method: 'DELETE', body: '{"of":"this"}', length: '13' });
    await new Promise((resolve) => setImmediate(resolve));
    expect((await request(url, { agent })).status).toBe(200);
  });

  test('a redirect is an answer like any other', async () => {
    const url = await serve((_, response) => response.writeHead(302, { location: '/elsewhere' }).end());
    const { status, headers } = await request(url);
    expect([status, headers.location]).toEqual([302, '/elsewhere']);
  });

  test('goes over a connection of its own, or one that its agent has kept', async () => {
    const ports: (number | undefined)[] = [];
    const url = await serve(({ socket }, response) => {
      ports.push(socket.remotePort);
      response.end();
    });
    const agent = new Agent({ keepAlive: true });
    cleanups.push(() => agent.destroy());
    for (const each of [undefined, undefined, agent, agent]) {
      const { body } = await request(url, each ? { agent: each } : {});
      await text(body);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(new Set(ports).size).toBe(3);
    expect(ports[2]).toBe(ports[3]);
  });
});

describe('what fails', () => {
  test('nobody listens', async () => {
    const server = createTcpServer();
    const url = await listening(server);
    server.close();
    await expect(request(url)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('a body that breaks off', async () => {
    const url = await serve(echo);
    const body = new Readable({
      read() {
        this.destroy(new Error('the disk is gone'));
      },
    });
    await expect(request(url, { method: 'POST', body })).rejects.toThrow('the disk is gone');
  });

  test('an answer that is cut', async () => {
    const url = await serve((_, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('some');
      setTimeout(() => response.destroy(), 20);
    });
    const { body } = await request(url);
    await expect(text(body)).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  test('an abort: before, while waiting for the head, within the body', async () => {
    const url = await serve((asked, response) => {
      if (asked.url === '/body') response.write('some');
    });
    const reason = new Error('enough');
    await expect(request(url, { signal: AbortSignal.abort(reason) })).rejects.toMatchObject({ cause: reason });
    const stop = new AbortController();
    const waiting = request(url, { signal: stop.signal });
    const { body } = await request(`${url}/body`, { signal: stop.signal });
    stop.abort(reason);
    await expect(waiting).rejects.toMatchObject({ cause: reason });
    await expect(text(body)).rejects.toThrow();
  });

  test.each(['ftp://127.0.0.1/', 'nonsense'])('an address that is none of HTTP: %s', async (url) => {
    await expect(request(url)).rejects.toThrow(TypeError);
  });
});
