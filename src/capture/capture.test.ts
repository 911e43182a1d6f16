import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { capture } from './capture.ts';
import { type Answer, dumpText, goodBody, pprofBytes, rawServer, reply, targetAt, traceBytes } from './test-support.ts';
import { type CaptureLimits, type CaptureProgress, type ProfileKind, profileKinds } from './types.ts';

const good: Answer = (path, socket) => reply(socket, 200, goodBody(path));

/** Captures from a server that answers `kind` with `bad` and all else well. */
async function captureWith(
  bad: Answer,
  limits: Partial<CaptureLimits> = {},
  kind: ProfileKind = 'heap',
  kinds: readonly ProfileKind[] = ['cpu', 'heap', 'allocs'],
) {
  await using server = await rawServer((path, socket) =>
    path.includes(`/${kind}`) ? bad(path, socket) : good(path, socket),
  );
  const begun = performance.now();
  const result = await capture({
    target: targetAt(server.port),
    profiles: kinds,
    durationMs: 1000,
    signal: AbortSignal.timeout(15_000),
    limits: { graceMs: 15_000, ...limits },
  });
  await expect.poll(() => server.sockets.size).toBe(0);
  return { ...result, tookMs: performance.now() - begun };
}

describe('capture', () => {
  it('fetches every profile with its name, source and times, in a fixed order', async () => {
    await using server = await rawServer(good);
    const progress: CaptureProgress[] = [];
    const result = await capture({
      target: targetAt(server.port),
      profiles: profileKinds.toReversed(),
      durationMs: 1500,
      signal: AbortSignal.timeout(15_000),
      onProgress: (step) => progress.push(step),
    });
    expect(result.failures).toEqual([]);
    expect(result.files.map(({ name, kind, source, samples }) => ({ name, kind, source, samples }))).toEqual(
      [
        ['profiles/cpu.pprof', 'cpu', '/profile?seconds=2', 1],
        ['profiles/heap.pprof', 'heap', '/heap', 1],
        ['profiles/allocs.pprof', 'allocs', '/allocs', 1],
        ['profiles/goroutine.txt', 'goroutine', '/goroutine?debug=2', 2],
        ['profiles/trace.out', 'trace', '/trace?seconds=2', undefined],
        ['profiles/mutex.pprof', 'mutex', '/mutex?seconds=2', 1],
        ['profiles/block.pprof', 'block', '/block?seconds=2', 1],
      ].map(([name, kind, path, samples]) => ({
        name,
        kind,
        source: `GET /debug/pprof${path} direct 127.0.0.1:${server.port}`,
        samples,
      })),
    );
    for (const { startedAt, endedAt } of result.files)
      expect(Date.parse(startedAt)).toBeLessThanOrEqual(Date.parse(endedAt));
    for (const kind of profileKinds) {
      expect(progress.filter((step) => step.kind === kind).map((step) => step.state)).toEqual([
        'started',
        'receiving',
        'done',
      ]);
    }
  });

  it('takes CPU and trace over the same seconds, and the others while these run', async () => {
    const open: string[] = [];
    const order: string[] = [];
    await using server = await rawServer((path, socket) => {
      open.push(path);
      if (!path.includes('seconds=')) return good(path, socket);
      setTimeout(() => good(path, socket), 300);
    });
    await capture({
      target: { ...targetAt(server.port), prefix: '/internal/pprof' },
      profiles: ['cpu', 'heap', 'allocs', 'goroutine', 'trace'],
      durationMs: 1000,
      signal: AbortSignal.timeout(15_000),
      onProgress: ({ kind, state }) => state === 'done' && order.push(kind),
    });
    expect(open.slice(0, 3).sort()).toEqual([
      '/internal/pprof/heap',
      '/internal/pprof/profile?seconds=1',
      '/internal/pprof/trace?seconds=1',
    ]);
    expect(order.slice(0, 3)).toEqual(['heap', 'allocs', 'goroutine']);
    expect(order.slice(3).sort()).toEqual(['cpu', 'trace']);
  });

  it('lets the connection live as long as the profile, not only as long as connecting may take', async () => {
    await using server = await rawServer((path, socket) => void setTimeout(() => good(path, socket), 400));
    const result = await capture({
      target: targetAt(server.port, 100),
      profiles: ['cpu', 'heap'],
      durationMs: 1000,
      signal: AbortSignal.timeout(15_000),
    });
    expect(result.failures).toEqual([]);
  });

  it('takes the dump grouped where a full one would stop the world for long', async () => {
    const index = (count: number) => `<td>${count}</td><td><a href='goroutine?debug=1'>goroutine</a></td>`;
    for (const [count, expected] of [
      [100, 'debug=2'],
      [101, 'debug=1'],
    ] as const) {
      await using server = await rawServer((path, socket) => {
        if (path.endsWith('/')) reply(socket, 200, index(count));
        else reply(socket, 200, path.endsWith('debug=1') ? 'goroutine profile: total 101\n1 @ 0x1\n' : dumpText);
      });
      const { files } = await capture({
        target: targetAt(server.port),
        profiles: ['goroutine'],
        durationMs: 1000,
        signal: AbortSignal.timeout(15_000),
        limits: { maxDumpGoroutines: 100 },
      });
      expect(files[0]).toMatchObject({
        name: 'profiles/goroutine.txt',
        samples: count === 101 ? 101 : 2,
        source: expect.stringContaining(expected),
      });
    }
  });

  it('still takes the dump when there is no index page', async () => {
    await using server = await rawServer((path, socket) =>
      path.endsWith('/') ? reply(socket, 404, '') : good(path, socket),
    );
    const { files } = await capture({
      target: targetAt(server.port),
      profiles: ['goroutine'],
      durationMs: 1000,
      signal: AbortSignal.timeout(15_000),
    });
    expect(files.length).toBe(1);
  });
});

const chunked = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';
const bomb = gzipSync(Buffer.alloc(8 * 1024 * 1024));

describe('capture from a hostile or broken server', () => {
  it.each<[string, Answer, string, RegExp]>([
    [
      'a missing profile',
      (_path, socket) => reply(socket, 404, 'not found'),
      'not-found',
      /no \/debug\/pprof\/heap \(404\)/,
    ],
    [
      'a redirect',
      (_path, socket) => reply(socket, 302, '', { location: 'http://169.254.169.254/' }),
      'redirect',
      /never followed/,
    ],
    [
      'a profile in use',
      (_path, socket) => reply(socket, 500, 'Could not enable CPU profiling: cpu profiling already in use'),
      'busy',
      /try again/,
    ],
    [
      'a short WriteTimeout',
      (_path, socket) => reply(socket, 400, "profile duration exceeds server's WriteTimeout"),
      'refused',
      /WriteTimeout/,
    ],
    [
      'an error full of control characters',
      (_path, socket) => reply(socket, 500, '\x1b[2J\r\nboom'),
      'refused',
      /500 "\.\[2J\.\.boom"/,
    ],
    [
      'a page of HTML',
      (_path, socket) => reply(socket, 200, '<html>login</html>'),
      'wrong-content',
      /begins with "<html>login/,
    ],
    ['an empty answer', (_path, socket) => reply(socket, 200, ''), 'wrong-content', /begins with ""/],
    ['a trace instead', (_path, socket) => reply(socket, 200, traceBytes), 'wrong-content', /go 1.26 trace/],
    [
      'gzip of nonsense',
      (_path, socket) => reply(socket, 200, gzipSync('nonsense')),
      'wrong-content',
      /not a well-formed profile/,
    ],
    ['gzip of nothing', (_path, socket) => reply(socket, 200, gzipSync('')), 'wrong-content', /no sample type/],
    ['damaged gzip', (_path, socket) => reply(socket, 200, pprofBytes().subarray(0, 40)), 'wrong-content', /damaged/],
    ['a gzip bomb', (_path, socket) => reply(socket, 200, bomb), 'too-big', /unpacks to more than 1048576/],
    [
      'a compressed transfer',
      (_path, socket) => reply(socket, 200, bomb, { 'content-encoding': 'gzip' }),
      'protocol',
      /content-encoding "gzip"/,
    ],
    [
      'an announced size over the limit',
      (_path, socket) => reply(socket, 200, Buffer.alloc(300_000)),
      'too-big',
      /more than 200000 bytes/,
    ],
    ['no HTTP', (_path, socket) => void socket.end('SSH-2.0-OpenSSH_9.6\r\n'), 'protocol', /not HTTP/],
    [
      'an answer cut off',
      (_path, socket) => void socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf'),
      'truncated',
      /did the process end|in the middle/,
    ],
    [
      'chunks cut off',
      (_path, socket) => void socket.end(`${chunked}5\r\nhello\r\n`),
      'truncated',
      /did the process end|in the middle/,
    ],
    ['a connection closed without a word', (_path, socket) => void socket.end(), 'truncated', /did the process end/],
    ['a connection reset', (_path, socket) => void socket.resetAndDestroy(), 'truncated', /did the process end/],
    [
      'endless headers',
      (_path, socket) => void socket.write(`HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(10_000)}`),
      'protocol',
      /HPE_HEADER_OVERFLOW/,
    ],
    [
      'two content lengths',
      (_path, socket) => void socket.end('HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab'),
      'protocol',
      /not HTTP/,
    ],
    [
      'a protocol switch',
      (_path, socket) => void socket.write('HTTP/1.1 101 X\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'),
      'protocol',
      /switched protocols/,
    ],
  ])('survives %s: one failure, the others are there', async (_what, bad, code, message) => {
    const { files, failures } = await captureWith(bad, {
      maxUnpackedBytes: 1024 * 1024,
      maxProfileBytes: 200_000,
    });
    expect(files.map(({ kind }) => kind)).toEqual(['cpu', 'allocs']);
    expect(failures).toEqual([{ kind: 'heap', code, message: expect.stringMatching(message) }]);
  });

  it.each<[string, Answer]>([
    ['silence', () => undefined],
    ['headers and then silence', (_path, socket) => void socket.write(chunked)],
    [
      'a slow drip',
      (_path, socket) => {
        socket.write(chunked);
        const timer = setInterval(() => socket.write('1\r\nx\r\n'), 20);
        socket.on('close', () => clearInterval(timer));
      },
    ],
  ])('ends %s at its deadline', async (_what, bad) => {
    const { failures, tookMs } = await captureWith(bad, { graceMs: 500 }, 'heap', ['heap']);
    expect(failures).toEqual([{ kind: 'heap', code: 'timeout', message: expect.stringContaining('within 500 ms') }]);
    expect(tookMs).toBeGreaterThan(490);
    expect(tookMs).toBeLessThan(10_000);
  });

  it('ends an endless body at its limit, without taking the bytes of the others', async () => {
    const flood: Answer = (_path, socket) => {
      socket.write(chunked);
      const more = () => {
        while (socket.writable && socket.write(`10000\r\n${'x'.repeat(0x10000)}\r\n`));
      };
      socket.on('drain', more);
      more();
    };
    const before = process.memoryUsage().rss;
    const { files, failures } = await captureWith(
      flood,
      { maxProfileBytes: 4_000_000, maxTotalBytes: 4_000_000 + pprofBytes().length - 1 },
      'heap',
      ['heap', 'allocs'],
    );
    expect(failures).toMatchObject([{ kind: 'heap', code: 'too-big' }]);
    expect(files.map(({ kind }) => kind)).toEqual(['allocs']);
    expect(process.memoryUsage().rss - before).toBeLessThan(128 * 1024 * 1024);
  });

  it('keeps the budget of all profiles together', async () => {
    const { files, failures } = await captureWith(good, { maxTotalBytes: Math.floor(pprofBytes().length * 2.5) });
    expect(files.length).toBe(2);
    expect(failures).toMatchObject([{ code: 'too-big', message: expect.stringContaining('all profiles together') }]);
  });

  it.each<[string, string, string]>([
    ['another header', 'go 2.0 trace\0\0\0\0xx', 'wrong-content'],
    ['no events', 'go 1.26 trace\0\0\0', 'wrong-content'],
    ['text', 'not a trace', 'wrong-content'],
  ])('refuses a trace with %s', async (_what, body, code) => {
    const { failures } = await captureWith((_path, socket) => reply(socket, 200, body), {}, 'trace', ['trace']);
    expect(failures).toMatchObject([{ kind: 'trace', code }]);
  });

  it('refuses a dump that is none', async () => {
    const { failures } = await captureWith(
      (path, socket) => reply(socket, 200, path.endsWith('/') ? '' : 'goroutines!'),
      {},
      'goroutine',
      ['goroutine'],
    );
    expect(failures).toMatchObject([{ kind: 'goroutine', code: 'wrong-content' }]);
  });

  it('stops at once when told to and keeps what it has', async () => {
    const stopping = new AbortController();
    await using server = await rawServer((path, socket) => (path.includes('seconds') ? undefined : good(path, socket)));
    const running = capture({
      target: targetAt(server.port),
      profiles: ['cpu', 'heap', 'trace'],
      durationMs: 60_000,
      signal: stopping.signal,
      onProgress: ({ kind, state }) => kind === 'heap' && state === 'done' && stopping.abort(),
    });
    const { files, failures } = await running;
    expect(files.map(({ kind }) => kind)).toEqual(['heap']);
    expect(failures).toMatchObject([
      { kind: 'cpu', code: 'aborted' },
      { kind: 'trace', code: 'aborted' },
    ]);
    await expect.poll(() => server.sockets.size).toBe(0);
  });

  it('says that nothing listens', async () => {
    const server = await rawServer(good);
    await server[Symbol.asyncDispose]();
    const { failures } = await capture({
      target: targetAt(server.port),
      profiles: ['heap'],
      durationMs: 1000,
      signal: AbortSignal.timeout(15_000),
    });
    expect(failures).toMatchObject([
      { code: 'unreachable', message: expect.stringMatching(/ECONNREFUSED.*is net\/http\/pprof served/) },
    ]);
  });

  it('leaves no listener behind on a signal that many captures share', async () => {
    await using server = await rawServer(good);
    const shared = new AbortController();
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on('warning', onWarning);
    for (let round = 0; round < 15; round++) {
      await capture({
        target: targetAt(server.port),
        profiles: ['heap', 'allocs'],
        durationMs: 1000,
        signal: shared.signal,
      });
    }
    // Warnings come with the next tick.
    await sleep(20);
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
  });
});
