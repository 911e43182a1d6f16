import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { connectTcp } from './connect-tcp.ts';
import { reach } from './reach.ts';
import { type Answer, goodBody, rawServer, reply } from './test-support.ts';
import { CaptureError, type ReachCandidate } from './types.ts';

const good: Answer = (path, socket) => reply(socket, 200, goodBody(path));
const signal = () => AbortSignal.timeout(15_000);
const at = (port: number, way: ReachCandidate['way'] = 'direct'): ReachCandidate => ({
  way,
  where: `127.0.0.1:${port}`,
  connect: connectTcp('127.0.0.1', port),
});
const failing = (
  way: ReachCandidate['way'],
  code: ConstructorParameters<typeof CaptureError>[0] = 'unreachable',
): ReachCandidate => ({
  way,
  where: 'nowhere',
  connect: async () => {
    throw new CaptureError(code, `no ${way}`);
  },
});

describe('reach', () => {
  it('takes the way with the least privilege, whatever the order', async () => {
    await using server = await rawServer(good);
    const { target, failures } = await reach(
      [at(server.port, 'network-namespace'), at(server.port, 'port-forward'), at(server.port)],
      signal(),
    );
    expect(target).toMatchObject({ way: 'direct', where: `127.0.0.1:${server.port}`, prefix: '/debug/pprof' });
    expect(failures).toEqual([]);
    expect(server.paths).toEqual(['/debug/pprof/symbol']);
  });

  it('goes on to the next and says why the others failed', async () => {
    await using server = await rawServer(good);
    const { target, failures } = await reach(
      [failing('direct'), failing('port-forward'), at(server.port, 'network-namespace')],
      signal(),
    );
    expect(target?.way).toBe('network-namespace');
    expect(failures).toEqual([
      { way: 'direct', where: 'nowhere', code: 'unreachable', message: 'no direct' },
      { way: 'port-forward', where: 'nowhere', code: 'unreachable', message: 'no port-forward' },
    ]);
  });

  it('returns no target when nothing works, and nothing to try is nothing found', async () => {
    expect(await reach([failing('direct')], signal())).toMatchObject({ failures: [{ way: 'direct' }] });
    expect(await reach([], signal())).toEqual({ failures: [] });
  });

  it.each<[string, Answer, string]>([
    ['another web server', (_path, socket) => reply(socket, 200, '<html>'), 'wrong-content'],
    ['a server without pprof', (_path, socket) => reply(socket, 404, ''), 'not-found'],
    ['a server that redirects', (_path, socket) => reply(socket, 301, '', { location: '/' }), 'redirect'],
    ['a silent server', () => undefined, 'timeout'],
    ['a database', (_path, socket) => void socket.end('\x4a\0\0\0\x0a8.0.36\0'), 'protocol'],
  ])('does not take %s for pprof', async (_what, answer, code) => {
    await using server = await rawServer(answer);
    expect(await reach([at(server.port)], signal(), { timeoutMs: code === 'timeout' ? 300 : 15_000 })).toMatchObject({
      failures: [{ code }],
    });
  });

  it("refuses another process's pprof on the same port", async () => {
    await using server = await rawServer(good);
    const own = await reach([at(server.port)], signal(), { expectArguments: ['robot', '--port', '80'], prefix: '/p' });
    expect(own.target?.prefix).toBe('/p');
    const other = await reach([at(server.port)], signal(), { expectArguments: ['robot', '--port', '81'] });
    expect(other).toMatchObject({ failures: [{ code: 'other-process', message: expect.stringContaining('"robot"') }] });
    expect(other.target).toBeUndefined();
  });

  it('speaks HTTP over any stream, and copes with one that breaks', async () => {
    const echo = { way: 'port-forward', where: 'echo', connect: async () => new PassThrough() } as const;
    const broken = {
      way: 'direct',
      where: 'broken',
      connect: async () => new PassThrough().destroy(new Error('lost connection to pod')),
    } as const;
    const { target, failures } = await reach([echo, broken], signal(), { timeoutMs: 15_000 });
    expect(target).toBeUndefined();
    expect(failures.map(({ way }) => way)).toEqual(['direct', 'port-forward']);
    expect(failures[0]?.message).toContain('lost connection to pod');
    expect(failures[1]?.code).toBe('protocol');
  });

  it('gives up connecting in time, and throws only what stopped it', async () => {
    const hanging: ReachCandidate = {
      way: 'direct',
      where: 'hole',
      connect: (given) => new Promise((_, reject) => given.addEventListener('abort', () => reject(given.reason))),
    };
    expect(await reach([hanging], signal(), { connectTimeoutMs: 50 })).toMatchObject({
      failures: [{ code: 'unreachable', message: expect.stringContaining('50 ms') }],
    });
    await expect(reach([hanging], AbortSignal.timeout(30))).rejects.toThrow(
      expect.objectContaining({ name: 'TimeoutError' }),
    );
  });
});
