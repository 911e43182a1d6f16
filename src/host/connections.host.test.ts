/** Connections counted from outside a real network namespace, by real sockets. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { countConnections } from './connections.ts';

const missing = whyNot();
const name = `robotgc-connections-${process.pid}`;

function whyNot(): string | undefined {
  if (process.platform !== 'linux') return 'needs Linux';
  if (process.getuid?.() !== 0) return 'needs root';
  try {
    execFileSync('ip', ['netns', 'list'], { stdio: 'ignore' });
  } catch {
    return 'needs iproute2';
  }
  return undefined;
}

/** Listens where it is told, opens and closes connections of its own; says `ok` after each order. */
const program = `
const net = require('node:net');
const dialled = [];
const servers = [];
const orders = {
  listen: (host, port) => new Promise((done) => {
    const server = net.createServer({ allowHalfOpen: true }, (socket) => socket.on('error', () => {}));
    servers.push(server);
    server.listen({ host, port: +port, ipv6Only: false }, done);
  }),
  dial: async (host, port, times) => {
    for (let i = 0; i < +times; i++) await new Promise((done, fail) => {
      const socket = net.connect({ host, port: +port }, done).on('error', fail);
      dialled.push(socket);
    });
  },
  halfClose: async (times) => { for (const socket of dialled.splice(0, +times)) socket.end(); },
  deafen: async () => { for (const server of servers.splice(0)) server.close(); },
};
require('node:readline').createInterface(process.stdin).on('line', async (line) => {
  const [order, ...args] = line.split(' ');
  await orders[order](...args);
  console.log('ok');
});`;

describe.skipIf(missing !== undefined)(`connections of a namespace${missing ? ` (skipped: ${missing})` : ''}`, () => {
  const children: ChildProcess[] = [];
  beforeAll(() => {
    execFileSync('ip', ['netns', 'add', name]);
    execFileSync('ip', ['-n', name, 'link', 'set', 'lo', 'up']);
  });
  afterEach(async () => {
    for (const child of children.splice(0)) await stop(child);
  }, 10_000);
  afterAll(() => execFileSync('ip', ['netns', 'delete', name]));

  async function stop(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  async function start(): Promise<{ pid: number; order: (line: string) => Promise<void>; child: ChildProcess }> {
    const child = spawn('ip', ['netns', 'exec', name, process.execPath, '-e', program], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    children.push(child);
    const lines = createInterface(child.stdout);
    const order = async (line: string): Promise<void> => {
      const answered = once(lines, 'line');
      child.stdin.write(`${line}\n`);
      expect(await answered).toEqual(['ok']);
    };
    return { pid: child.pid ?? 0, order, child };
  }
  const count = (pids: readonly number[], port: number) => countConnections({ pids, port, timeoutMs: 5000 });
  const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 50));

  it('counts IPv4, IPv6 and IPv4 through a dual-stack socket, each connection once', async () => {
    const { pid, order } = await start();
    await order('listen :: 8080');
    expect(await count([pid], 8080)).toEqual({ kind: 'ok', value: 0 });
    await order('dial 127.0.0.1 8080 3');
    await order('dial ::1 8080 4');
    await settled();
    // Both ends are in this namespace; the dialling ends have other ports.
    expect(await count([pid], 8080)).toEqual({ kind: 'ok', value: 7 });
    await order('listen 127.0.0.1 8081');
    await order('dial 127.0.0.1 8081 2');
    await settled();
    expect(await count([pid], 8081)).toEqual({ kind: 'ok', value: 2 });
    expect(await count([pid], 8080)).toEqual({ kind: 'ok', value: 7 });
  });

  it('counts no connection that is being closed', async () => {
    const { pid, order } = await start();
    await order('listen 127.0.0.1 8082');
    await order('dial 127.0.0.1 8082 5');
    await order('halfClose 2');
    await settled();
    expect(await count([pid], 8082)).toEqual({ kind: 'ok', value: 3 });
  });

  it('counts a few thousand exactly, and says what it cannot', async () => {
    const { pid, order } = await start();
    await order('listen :: 8083');
    await order('dial 127.0.0.1 8083 3000');
    await settled();
    expect(await count([pid], 8083)).toEqual({ kind: 'ok', value: 3000 });
    const abort = new AbortController();
    abort.abort();
    const calledOff = countConnections({ pids: [pid], port: 8083, timeoutMs: 5000, signal: abort.signal });
    expect(await calledOff).toMatchObject({ kind: 'failed', code: 'aborted' });
  });

  it('says that nothing listens, here or any more; the ports of other namespaces are none of it', async () => {
    const { pid, order } = await start();
    expect(await count([pid], 8084)).toMatchObject({ kind: 'failed', code: 'not-listening' });
    await order('listen 127.0.0.1 8084');
    expect(await count([pid], 8084)).toEqual({ kind: 'ok', value: 0 });
    expect(await count([process.pid], 8084)).toMatchObject({ kind: 'failed', code: 'not-listening' });
    await order('deafen');
    expect(await count([pid], 8084)).toMatchObject({ kind: 'failed', code: 'not-listening' });
  });

  it('takes the next process when one has gone, and says when none is left', async () => {
    const { pid, order, child } = await start();
    await order('listen 127.0.0.1 8085');
    const gone = spawn('true');
    await once(gone, 'exit');
    expect(await count([gone.pid ?? 0, pid], 8085)).toEqual({ kind: 'ok', value: 0 });
    await stop(child);
    expect(await count([pid], 8085)).toMatchObject({ kind: 'failed', code: 'no-process' });
    expect(await count([], 8085)).toMatchObject({ kind: 'failed', code: 'no-process' });
  });
});
