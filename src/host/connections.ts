import { closeSync, openSync, readSync } from 'node:fs';
import { setImmediate as othersTurn } from 'node:timers/promises';
import { TcpTableReader, type TcpTally } from './tcp-table.ts';
import { errorCode } from './text-file.ts';
import type { ActivityFailure, ActivityResult, ConnectionsRequest } from './types.ts';

/** About 200,000 sockets of one network namespace. */
const maxTableBytes = 32 * 1024 * 1024;
/** The kernel fills at most a page at a time (4 KiB), whatever is asked for. */
const chunkBytes = 16 * 1024;
/** The rest of the program gets its turn at least so often. */
const turnMs = 2;

/**
 * Counts the established inbound connections to a port in the network namespace of the first of `pids` that still lives.
 * Never throws: the result says what happened. Connections that come or go while it reads may be missed.
 *
 * The kernel has two ways to tell: sock_diag, which must be asked from inside the namespace (setns needs CAP_SYS_ADMIN), and these
 * tables, which can be read from outside. For them the kernel walks the socket table of the whole machine (what that costs:
 * docs/reference.md). Read synchronously in short turns: through the thread pool it took twice the CPU time.
 */
export async function countConnections(request: ConnectionsRequest): Promise<ActivityResult> {
  const { pids, port, procRoot = '/proc', timeoutMs } = request;
  const timeout = AbortSignal.timeout(timeoutMs);
  const stopped: Stopped = () => {
    if (request.signal?.aborted) return failed('aborted', `counting the connections to port ${port} was called off`);
    if (timeout.aborted)
      return failed('timeout', `the connections to port ${port} could not be counted within ${timeoutMs} ms`);
    return undefined;
  };
  for (const pid of pids) {
    const v4 = await readTable(`${procRoot}/${pid}/net/tcp`, port, stopped);
    if (v4.kind === 'failed') return v4;
    if (v4.kind === 'absent') continue;
    const v6 = await readTable(`${procRoot}/${pid}/net/tcp6`, port, stopped);
    return v6.kind === 'failed' ? v6 : sum(port, v6.kind === 'absent' ? [v4.tally] : [v4.tally, v6.tally]);
  }
  return failed('no-process', `no process is left in whose network namespace port ${port} could be looked for`);
}

type Stopped = () => ActivityFailure | undefined;

function sum(port: number, tallies: readonly TcpTally[]): ActivityResult {
  if (tallies.some(({ listening }) => listening))
    return { kind: 'ok', value: tallies.reduce((total, { established }) => total + established, 0) };
  return failed(
    'not-listening',
    `nothing listens on TCP port ${port}: write the port on which the program serves robots`,
  );
}

/** `absent`: the process has gone, or the machine has no such table (tcp6 without IPv6). */
type Read = { readonly kind: 'ok'; readonly tally: TcpTally } | { readonly kind: 'absent' } | ActivityFailure;

async function readTable(path: string, port: number, stopped: Stopped): Promise<Read> {
  let fd: number | undefined;
  try {
    const stop = stopped();
    if (stop) return stop;
    fd = openSync(path, 'r');
    return await readOpened(fd, path, port, stopped);
  } catch (error) {
    const code = errorCode(error);
    const gone = code === 'ENOENT' || code === 'ESRCH' || code === 'EINVAL';
    return gone ? { kind: 'absent' } : failed('unreadable', `${path} cannot be read: ${code}`);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

async function readOpened(fd: number, path: string, port: number, stopped: Stopped): Promise<Read> {
  const table = new TcpTableReader(port);
  const buffer = Buffer.allocUnsafe(chunkBytes);
  let turnEndsMs = performance.now() + turnMs;
  for (let total = 0; ; ) {
    const count = readSync(fd, buffer, 0, buffer.length, null);
    if (count === 0) break;
    total += count;
    if (total > maxTableBytes)
      return failed('too-large', `${path} is longer than ${maxTableBytes} bytes: count by a metric or an annotation`);
    table.push(buffer.subarray(0, count));
    if (performance.now() < turnEndsMs) continue;
    await othersTurn();
    const stop = stopped();
    if (stop) return stop;
    turnEndsMs = performance.now() + turnMs;
  }
  const result = table.result();
  return result.kind === 'ok'
    ? result
    : failed('malformed', `cannot read the line ${JSON.stringify(result.line)} of ${path}`);
}

function failed(code: ActivityFailure['code'], message: string): ActivityFailure {
  return { kind: 'failed', code, message };
}
