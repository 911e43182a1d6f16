import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatContentDigest, parseContentDigest } from './content-digest.ts';
import { type ReceivedBundle, receiveBundle, TransferError } from './receive.ts';
import { temporaryFolder } from './test-support.ts';
import { type UploadRequest, uploadBundle } from './upload.ts';

type Handler = (request: IncomingMessage, response: ServerResponse, attempt: number) => Promise<void> | void;

/** A real server on loopback; counts requests and connections. */
async function serve(handler: Handler) {
  const seen = { requests: 0, connections: 0 };
  const server = createServer((request, response) => {
    seen.requests += 1;
    void Promise.resolve(handler(request, response, seen.requests)).catch(() => response.destroy());
  });
  server.on('connection', () => {
    seen.connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    seen,
    port,
    url: `http://127.0.0.1:${port}/bundles`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const answer = (response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}) =>
  void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));

function bundle(folder: string, sizeBytes = 300_000) {
  const bytes = randomBytes(sizeBytes);
  const file = join(folder, 'bundle');
  writeFileSync(file, bytes);
  return { file, bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
}

const upload = (url: string, given: { file: string; sha256: string }, more: Partial<UploadRequest> = {}) =>
  uploadBundle({
    url,
    token: 'service-account-token',
    ...given,
    incident: { namespace: 'robots', name: 'dispatch-1', uid: 'u' },
    signal: AbortSignal.timeout(18_000),
    retry: { tries: 4, firstWaitMs: 5, maxWaitMs: 20, notLeaderWaitMs: 1 },
    ...more,
  });

describe('upload and receive', () => {
  it('carries a bundle over whole, with token, digest and incident', async () => {
    using folder = temporaryFolder();
    const given = bundle(folder.path, 3_000_000);
    const spool = join(folder.path, 'spool');
    let received: ReceivedBundle | undefined;
    let headers: IncomingMessage['headers'] = {};
    await using server = await serve(async (request, response) => {
      headers = request.headers;
      received = await receiveBundle(request, { maxBytes: 10_000_000, folder: spool });
      answer(response, 201, { sha256: received.sha256 });
    });
    await upload(server.url, given);
    expect(headers).toMatchObject({
      authorization: 'Bearer service-account-token',
      'robotgc-incident': 'robots/dispatch-1/u',
      'content-length': '3000000',
    });
    expect(received).toMatchObject({ sha256: given.sha256, sizeBytes: 3_000_000 });
    expect(readFileSync(received?.file ?? '').equals(given.bytes)).toBe(true);
  });

  it('finds the leader: a new connection each time, soon', async () => {
    using folder = temporaryFolder();
    const given = bundle(folder.path);
    const waits: number[] = [];
    await using server = await serve(async (request, response, attempt) => {
      // Read to its end, so that the connection could be kept.
      for await (const _chunk of request);
      if (attempt < 3) answer(response, 503, { code: 'not-leader', message: 'not the leader' });
      else answer(response, 200, { sha256: given.sha256 });
    });
    await upload(server.url, given, { onRetry: (_reason, waitMs) => waits.push(waitMs) });
    expect(waits).toEqual([1, 1]);
    expect(server.seen).toEqual({ requests: 3, connections: 3 });
  });

  it.each<[string, Handler]>([
    ['an internal error', (_request, response) => answer(response, 500, { code: 'internal' })],
    ['a cut connection', (request) => void request.socket.destroy()],
    ['too many requests', (_request, response) => answer(response, 429, { code: 'busy' }, { 'retry-after': '1' })],
    ['an acknowledgement of something else', (_request, response) => answer(response, 200, { sha256: 'f'.repeat(64) })],
    ['an acknowledgement that is none', (_request, response) => void response.writeHead(200).end('fine')],
    ['an endless answer', (_request, response) => void response.writeHead(200).end(Buffer.alloc(1_000_000, 'x'))],
  ])('tries again after %s', async (_what, failing) => {
    using folder = temporaryFolder();
    const given = bundle(folder.path);
    await using server = await serve((request, response, attempt) =>
      attempt === 1 ? failing(request, response, attempt) : answer(response, 200, { sha256: given.sha256 }),
    );
    await upload(server.url, given);
    expect(server.seen.requests).toBe(2);
  });

  it.each([400, 401, 403, 409, 413, 422, 302])('takes %d for final', async (status) => {
    using folder = temporaryFolder();
    await using server = await serve((_request, response) =>
      answer(response, status, { code: 'no', message: 'because' }, { location: '/elsewhere' }),
    );
    await expect(upload(server.url, bundle(folder.path))).rejects.toThrow(
      expect.objectContaining({ code: 'rejected', message: expect.stringContaining('because') }),
    );
    expect(server.seen.requests).toBe(1);
  });

  it('gives up after its tries and says why, and asks for the token each time', async () => {
    using folder = temporaryFolder();
    let asked = 0;
    const token = async () => `token-${++asked}`;
    const nobody = upload('http://127.0.0.1:9/', bundle(folder.path), { token });
    await expect(nobody).rejects.toThrow(
      expect.objectContaining({ code: 'unreachable', message: expect.stringMatching(/4 tries.*ECONNREFUSED.*outbox/) }),
    );
    expect(asked).toBe(4);
  });

  it('stops at once when told to, in a wait and in a transfer', async () => {
    using folder = temporaryFolder();
    const given = bundle(folder.path);
    await using server = await serve(() => undefined);
    const stopping = new AbortController();
    setTimeout(() => stopping.abort(), 50);
    const begun = performance.now();
    await expect(upload(server.url, given, { signal: stopping.signal })).rejects.toThrow(
      expect.objectContaining({ name: 'AbortError' }),
    );
    const waiting = new AbortController();
    const inWait = upload('http://127.0.0.1:9/', given, {
      signal: waiting.signal,
      retry: { firstWaitMs: 60_000, maxWaitMs: 60_000 },
      onRetry: () => waiting.abort(),
    });
    await expect(inWait).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
    expect(performance.now() - begun).toBeLessThan(8000);
  });
});

describe('receiveBundle', () => {
  const body = randomBytes(100_000);
  const digest = formatContentDigest(createHash('sha256').update(body).digest('hex'));

  async function send(
    headers: Record<string, string>,
    chunks: readonly Uint8Array[],
    maxBytes = 1_000_000,
  ): Promise<{ status: number; left: string[] }> {
    using folder = temporaryFolder();
    await using server = await serve(async (request, response) => {
      try {
        await receiveBundle(request, { maxBytes, folder: folder.path });
        answer(response, 200, {});
      } catch (error) {
        answer(response, error instanceof TransferError ? error.httpStatus : 500, {
          code: error instanceof TransferError ? error.code : 'unknown',
        });
      }
    });
    const status = await new Promise<number>((resolve, reject) => {
      const outgoing = httpRequest({ port: server.port, host: '127.0.0.1', method: 'POST', headers }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      outgoing.on('error', reject);
      for (const chunk of chunks) outgoing.write(chunk);
      outgoing.end();
    });
    return { status, left: readdirSync(folder.path) };
  }

  it.each<[string, Record<string, string>, readonly Uint8Array[], number, number]>([
    ['no digest', {}, [body], 1_000_000, 400],
    ['a digest of another kind', { 'content-digest': 'sha-512=:AAAA:' }, [body], 1_000_000, 400],
    ['another digest', { 'content-digest': digest }, [body.subarray(1)], 1_000_000, 422],
    ['an announced size over the limit', { 'content-digest': digest, 'content-length': '100000' }, [body], 99_999, 413],
    [
      'a body over the limit that announced nothing',
      { 'content-digest': digest },
      [body.subarray(0, 60_000), body.subarray(60_000)],
      99_999,
      413,
    ],
  ])('refuses %s and keeps nothing', async (_what, headers, chunks, maxBytes, status) => {
    expect(await send(headers, chunks, maxBytes)).toEqual({ status, left: [] });
  });

  it('keeps nothing of a body that is cut off or never ends', async () => {
    using folder = temporaryFolder();
    const outcomes: unknown[] = [];
    await using server = await serve(async (request) => {
      outcomes.push(
        await receiveBundle(request, { maxBytes: 1_000_000, folder: folder.path, timeoutMs: 2000 }).catch(
          (error: unknown) => error,
        ),
      );
    });
    const begin = `POST / HTTP/1.1\r\nhost: x\r\ncontent-digest: ${digest}\r\ncontent-length: 100000\r\n\r\nbeginning`;
    const cut = connect(server.port, '127.0.0.1', () => cut.write(begin, () => cut.destroy()));
    const slow = connect(server.port, '127.0.0.1', () => slow.write(begin));
    slow.on('error', () => undefined);
    await expect
      .poll(() => outcomes.map((error) => (error instanceof TransferError ? error.code : 'other')).sort(), {
        timeout: 12_000,
      })
      .toEqual(['cut-off', 'timeout']);
    expect(readdirSync(folder.path)).toEqual([]);
    slow.destroy();
  });
});

describe('Content-Digest', () => {
  it('reads what it writes, also among other digests', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        const sha256 = Buffer.from(bytes).toString('hex');
        expect(parseContentDigest(formatContentDigest(sha256))).toBe(sha256);
        expect(parseContentDigest(`sha-512=:AAAA:, ${formatContentDigest(sha256)} , x=1`)).toBe(sha256);
      }),
    );
  });
  it.each([undefined, '', 'sha-256=abc', 'sha-256=:AAAA:', 'xsha-256=:AAAA:'])('finds nothing in %j', (header) => {
    expect(parseContentDigest(header)).toBeUndefined();
  });
});
