import { createServer, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { Profile, StringTable } from 'pprof-format';
import { connectTcp } from './connect-tcp.ts';
import { httpTransport } from './transport.ts';
import type { PprofTarget } from './types.ts';

/** What a server does with a request, given its path. It may answer anything, in pieces, late, or never. */
export type Answer = (path: string, socket: Socket) => void;

/** A raw TCP server on loopback that reads one request a connection and then does as told, HTTP or not. */
export async function rawServer(answer: Answer) {
  const sockets = new Set<Socket>();
  const paths: string[] = [];
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    let text = '';
    const onData = (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (!text.includes('\r\n\r\n')) return;
      socket.off('data', onData);
      const path = text.split(' ')[1] ?? '';
      paths.push(path);
      answer(path, socket);
    };
    socket.on('data', onData);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    port,
    paths,
    sockets,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function targetAt(port: number, connectTimeoutMs = 10_000): PprofTarget {
  const transport = httpTransport(connectTcp('127.0.0.1', port), { host: `127.0.0.1:${port}`, connectTimeoutMs });
  return { transport, way: 'direct', where: `127.0.0.1:${port}` };
}

/** Writes a whole HTTP answer and closes. */
export function reply(
  socket: Socket,
  status: number,
  body: Uint8Array | string,
  headers: Record<string, string> = {},
): void {
  const bytes = Buffer.from(body);
  const lines = Object.entries({ 'content-length': String(bytes.length), ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  socket.end(Buffer.concat([Buffer.from(`HTTP/1.1 ${status} X\r\n${lines.join('')}connection: close\r\n\r\n`), bytes]));
}

/** A small valid profile with one sample. */
export function pprofBytes(): Buffer {
  const stringTable = new StringTable();
  const type = stringTable.dedup('samples');
  const unit = stringTable.dedup('count');
  const name = stringTable.dedup('main.work');
  const profile = new Profile({
    stringTable,
    sampleType: [{ type, unit }],
    sample: [{ locationId: [1], value: [7] }],
    location: [{ id: 1, line: [{ functionId: 1, line: 12 }] }],
    function: [{ id: 1, name, filename: stringTable.dedup('main.go') }],
  });
  return gzipSync(profile.encode());
}

export const traceBytes = Buffer.from('go 1.26 trace\0\0\0events', 'latin1');
export const dumpText =
  'goroutine 1 [running]:\nmain.main()\n\t/x/main.go:1\n\ngoroutine 7 [select]:\nmain.f()\n\t/x/main.go:2\n';

/** The right content for a path below any prefix. */
export function goodBody(path: string): Uint8Array | string {
  if (path.includes('/trace')) return traceBytes;
  if (path.includes('/goroutine')) return dumpText;
  if (path.endsWith('/symbol')) return 'num_symbols: 1\n';
  if (path.endsWith('/cmdline')) return 'robot\0--port\x0080';
  if (path.endsWith('/')) return "<td>2</td><td><a href='goroutine?debug=1'>goroutine</a></td>";
  return pprofBytes();
}
