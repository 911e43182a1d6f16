import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../../../test/support/until.ts';
import { silentLog } from '../../kube/index.ts';
import { SignalWindow } from '../../model/index.ts';
import { WindowBuilder } from '../sampler/window-builder.ts';
import { quietSecond } from '../testing/events.ts';
import { OperatorConnection } from './connection.ts';
import { fewWindows, WindowReporter } from './window-reporter.ts';

/** The operator's door as far as the wire shows it: who leads, what was taken, over which connection. */
interface Door {
  answer: 'take' | 'not-leader' | 'break' | 'refuse';
  leader: string;
  taken: SignalWindow[];
  /** Windows in each request, whatever the answer. */
  offered: number[];
  connections: Set<number>;
  tokens: Set<string>;
}

let door: Door;
let server: Server;
let folder: string;
let stop: AbortController;
let running: Promise<void>;
let history: SignalWindow[];
let open: boolean;

beforeEach(async () => {
  door = { answer: 'take', leader: 'one', taken: [], offered: [], connections: new Set(), tokens: new Set() };
  history = [];
  open = true;
  server = createServer((request, response) => {
    door.connections.add(request.socket.remotePort ?? 0);
    door.tokens.add(request.headers.authorization ?? '');
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString('utf8');
    });
    request.on('end', () => {
      door.offered.push(body.trim().split('\n').length);
      if (door.answer === 'break') return request.socket.destroy();
      response.setHeader('robotgc-leader', door.leader);
      if (door.answer !== 'take')
        return response.writeHead(door.answer === 'refuse' ? 400 : 503).end('{"code":"not-leader"}');
      door.taken.push(
        ...body
          .trim()
          .split('\n')
          .map((line) => SignalWindow.parse(JSON.parse(line))),
      );
      return response.writeHead(204).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  folder = await mkdtemp(join(tmpdir(), 'robotgc-reporter-'));
  await writeFile(join(folder, 'token'), 'first\n');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const connection = new OperatorConnection({
    url: `http://127.0.0.1:${port}`,
    tokenFile: join(folder, 'token'),
    caFile: undefined,
  });
  const reporter = new WindowReporter({
    connection,
    reported: () =>
      open ? [{ key: 'c', recent: (sinceMs) => history.filter(({ endedAt }) => Date.parse(endedAt) > sinceMs) }] : [],
    log: silentLog,
    onSent: () => {},
  });
  stop = new AbortController();
  running = reporter.run(stop.signal);
});
afterEach(async () => {
  stop.abort();
  await running;
  server.close();
  server.closeAllConnections();
  await rm(folder, { recursive: true, force: true });
});

const builder = new WindowBuilder({
  pod: { namespace: 'robots', name: 'dispatch-0', uid: 'u' },
  container: 'robot',
  containerId: 'c',
});
/** Seconds that ended so long ago, oldest first. */
function remember(...agesMs: number[]): void {
  const nowMs = Date.now();
  for (const age of agesMs) history.push(builder.close(quietSecond({ endedAtMs: nowMs - age })));
}
const seqs = (): number[] => door.taken.map(({ seq }) => seq);
const seqsOf = (windows: readonly SignalWindow[]): number[] => windows.map(({ seq }) => seq);
const arrived = (count: number): Promise<void> => until(`${count} windows`, () => door.taken.length >= count, 10_000);

describe('WindowReporter', () => {
  test('begins with the last two minutes, then sends each window once', async () => {
    remember(200_000, 100_000, 1_000);
    await arrived(2);
    expect(seqs()).toEqual(seqsOf(history.slice(1)));
    remember(0);
    await arrived(3);
    expect(seqs()).toEqual(seqsOf(history.slice(1)));
  });

  test('a replica that does not lead is asked again over a new connection, and nothing is lost', async () => {
    door.answer = 'not-leader';
    remember(2_000, 1_000);
    await until('several connections', () => door.connections.size >= 3, 10_000);
    door.answer = 'take';
    await arrived(2);
    expect(seqs()).toEqual(seqsOf(history));
  });

  test('while nobody takes them few are offered at a time, then all', async () => {
    door.answer = 'not-leader';
    remember(...Array.from({ length: 3 * fewWindows }, (_, i) => 60_000 - i * 10));
    await until('several requests', () => door.offered.length >= 3, 10_000);
    expect(Math.max(...door.offered)).toBeLessThanOrEqual(fewWindows);
    door.answer = 'take';
    await arrived(3 * fewWindows);
    expect(seqs()).toEqual(seqsOf(history));
    expect(Math.max(...door.offered)).toBe(2 * fewWindows);
  });

  test('a new leader is told the last two minutes', async () => {
    remember(60_000, 1_000);
    await arrived(2);
    door.leader = 'two';
    remember(0);
    await arrived(6);
    expect(seqs()).toEqual([...seqsOf(history.slice(0, 2)), ...seqsOf(history.slice(2)), ...seqsOf(history)]);
  });

  test('what broke on the way is sent again', async () => {
    door.answer = 'break';
    remember(1_000);
    await until('an attempt', () => door.connections.size >= 1, 10_000);
    door.answer = 'take';
    await arrived(1);
    expect(seqs()).toEqual(seqsOf(history));
  });

  test('a window that will never be taken does not block those after it', async () => {
    door.answer = 'refuse';
    remember(1_000);
    await until('an attempt', () => door.connections.size >= 1, 10_000);
    await until('its answer', () => door.tokens.size >= 1, 1_000);
    await new Promise((resolve) => setTimeout(resolve, 300));
    door.answer = 'take';
    remember(0);
    await arrived(1);
    expect(seqs()).toEqual(seqsOf(history.slice(1)));
  });

  test('without an open incident nothing is sent', async () => {
    open = false;
    remember(1_000);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(door.connections.size).toBe(0);
  });

  test('a token that was replaced is used', async () => {
    remember(1_000);
    await arrived(1);
    await writeFile(join(folder, 'token'), 'second\n');
    remember(0);
    await arrived(2);
    expect([...door.tokens]).toEqual(['Bearer first', 'Bearer second']);
  });
});
