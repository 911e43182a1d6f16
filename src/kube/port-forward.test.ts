import { once } from 'node:events';
import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { until } from '../../test/support/until.ts';
import { FrameReader, frameData } from './port-forward-frames.ts';
import { createTransport } from './transport.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

const never = new AbortController().signal;

/** A kubelet's side of the protocol, over a real WebSocket: what it does with a connection is the test's. */
async function kubelet(onConnection: (socket: WebSocket) => void, refuse?: { code: number; body: string }) {
  const urls: string[] = [];
  const server = createServer();
  const sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => (offered.has('v4.channel.k8s.io') ? 'v4.channel.k8s.io' : false),
  });
  server.on('upgrade', (request, socket, head) => {
    urls.push(`${request.url} ${request.headers.authorization} ${request.headers.accept}`);
    if (refuse !== undefined) {
      socket.end(
        `HTTP/1.1 ${refuse.code} No\r\ncontent-length: ${Buffer.byteLength(refuse.body)}\r\nconnection: close\r\n\r\n${refuse.body}`,
      );
      return;
    }
    sockets.handleUpgrade(request, socket, head, (opened) => {
      for (const channel of [0, 1]) opened.send(Buffer.from([channel, 6060 & 0xff, 6060 >> 8]));
      onConnection(opened);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromClusterAndUser(
    { name: 'test', server: `http://127.0.0.1:${port}`, skipTLSVerify: true },
    { name: 'tester', token: 'secret' },
  );
  const transport = createTransport({ kubeConfig, userAgent: 'test' });
  cleanups.push(async () => {
    await transport.close();
    for (const client of sockets.clients) client.terminate();
    server.closeAllConnections();
    server.close();
  });
  return { transport, urls, sockets };
}

/** Joins a connection to a TCP port, as the kubelet does. */
const joinTo =
  (port: number) =>
  (socket: WebSocket): void => {
    const tcp = connect(port, '127.0.0.1');
    socket.on('message', (data: Buffer) => tcp.write(data.subarray(1)));
    tcp.on('data', (chunk) => socket.send(Buffer.concat([Buffer.from([0]), chunk])));
    tcp.on('close', () => socket.close());
    socket.on('close', () => tcp.destroy());
  };

describe('frames (T6)', () => {
  test('any bytes, framed in any way, with the port before them or with them, come out the same', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), fc.nat(2), (chunks, portBytesFirst) => {
        const port = Buffer.from([0xac, 0x17]);
        const stream = Buffer.concat([port.subarray(portBytesFirst), ...chunks]);
        const messages = [Buffer.concat([Buffer.from([0]), port.subarray(0, portBytesFirst)])];
        for (let from = 0; from < stream.length; from += 3)
          messages.push(Buffer.from(frameData(stream.subarray(from, from + 3))));
        const reader = new FrameReader('test');
        const out = messages
          .map((message) => reader.read(message))
          .flatMap((frame) => (frame.type === 'data' ? [frame.bytes] : []));
        expect(Buffer.concat(out)).toEqual(Buffer.concat(chunks));
      }),
    );
  });

  test('any bytes at all are a frame, an error or nothing', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 8 })), (messages) => {
        const reader = new FrameReader('test');
        for (const message of messages)
          expect(['data', 'error', 'nothing']).toContain(reader.read(Buffer.from(message)).type);
      }),
    );
  });

  test('words on the error channel are an error, the port on it is not', () => {
    const reader = new FrameReader('PORTFORWARD robots/a:6060');
    expect(reader.read(Buffer.from([1, 0xac, 0x17]))).toEqual({ type: 'nothing' });
    expect(reader.read(Buffer.from('\x01connection refused\n'))).toMatchObject({
      type: 'error',
      error: { code: 'Unreachable', message: 'PORTFORWARD robots/a:6060: Unreachable: connection refused' },
    });
    expect(reader.read(Buffer.from([7, 1]))).toMatchObject({ type: 'error', error: { code: 'BadResponse' } });
    expect(reader.read(Buffer.alloc(0))).toEqual({ type: 'nothing' });
  });
});

describe('a forwarded port', () => {
  test('HTTP runs over it, large bodies included, with the credentials in place', async () => {
    const body = Buffer.alloc(3_000_000, 'pprof ');
    const inPod: Server = createServer((_request, response) => response.end(body));
    inPod.listen(0, '127.0.0.1');
    await once(inPod, 'listening');
    cleanups.push(async () => inPod.close());
    const { transport, urls, sockets } = await kubelet(joinTo((inPod.address() as AddressInfo).port));
    const duplex = await transport.portForward('robots', 'dispatch-0', 6060, never);
    const request = httpRequest({
      createConnection: () => duplex,
      path: '/debug/pprof/heap',
      headers: { connection: 'close' },
    });
    request.end();
    const [response] = await once(request, 'response');
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk);
    expect(Buffer.concat(chunks).equals(body)).toBe(true);
    expect(urls).toEqual(['/api/v1/namespaces/robots/pods/dispatch-0/portforward?ports=6060 Bearer secret */*']);
    await until('the connection ends with the response', () => sockets.clients.size === 0);
  });

  test('a reader that is slow holds the sender back, and loses nothing', async () => {
    const chunk = Buffer.alloc(64 * 1024, 'x');
    let sent = 0;
    const { transport } = await kubelet((socket) => {
      const send = (): void => {
        if (sent++ < 200) socket.send(frameData(chunk), send);
        else socket.close();
      };
      send();
    });
    const duplex = await transport.portForward('robots', 'a', 6060, never);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(duplex.readableLength).toBeLessThan(1_000_000);
    let bytes = 0;
    for await (const part of duplex) {
      bytes += part.length;
      if (bytes % (chunk.length * 20) === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(bytes).toBe(200 * chunk.length);
  });

  test.each([0, 50])(
    'what the pod refuses, %i ms after the opening, is an error of the call or of the duplex',
    async (afterMs) => {
      const refusal = Buffer.from('\x01error forwarding port 6060: connection refused');
      const { transport } = await kubelet((socket) => {
        if (afterMs === 0) socket.send(refusal);
        else setTimeout(() => socket.send(refusal), afterMs);
      });
      const error = await transport.portForward('robots', 'a', 6060, never).then(
        async (duplex) => (await once(duplex, 'error'))[0],
        (error: unknown) => error,
      );
      expect(error).toMatchObject({ code: 'Unreachable', message: expect.stringContaining('connection refused') });
    },
  );

  test('what the API server refuses is a KubeError, in JSON or in plain text', async () => {
    const forbidden = JSON.stringify({
      kind: 'Status',
      code: 403,
      reason: 'Forbidden',
      message: 'cannot create resource "pods/portforward"',
    });
    const { transport } = await kubelet(() => {}, { code: 403, body: forbidden });
    await expect(transport.portForward('robots', 'a', 1, never)).rejects.toMatchObject({
      code: 'Forbidden',
      message: expect.stringContaining('pods/portforward'),
    });
    const plain = await kubelet(() => {}, { code: 404, body: 'pod not found' });
    await expect(plain.transport.portForward('robots', 'a', 1, never)).rejects.toMatchObject({ code: 'NotFound' });
  });

  test('an abort ends it, while it opens and later', async () => {
    const { transport, sockets } = await kubelet(() => {});
    const reason = new Error('enough');
    await expect(transport.portForward('robots', 'a', 1, AbortSignal.abort(reason))).rejects.toBe(reason);
    const early = new AbortController();
    const opening = transport.portForward('robots', 'a', 1, early.signal);
    early.abort(reason);
    await expect(opening).rejects.toBe(reason);
    const late = new AbortController();
    const duplex = await transport.portForward('robots', 'a', 1, late.signal);
    const failed = once(duplex, 'error');
    late.abort(reason);
    expect((await failed)[0]).toBe(reason);
    await until('the connection is gone', () => sockets.clients.size === 0);
  });
});
