import { readFile, readlink } from 'node:fs/promises';
import { capture } from './capture.ts';
import { connectNetworkNamespace } from './connect-netns.ts';
import { connectTcp } from './connect-tcp.ts';
import { reach } from './reach.ts';
import { CaptureError, type CaptureRequest, type CaptureResult, type ReachCandidate } from './types.ts';

export interface ProcessCaptureRequest extends Omit<CaptureRequest, 'target'> {
  readonly pid: number;
  /** Default 127.0.0.1:6060, as the documentation of net/http/pprof has it. */
  readonly address?: { readonly host: string; readonly port: number };
  readonly prefix?: string;
  /** Enter the process's network namespace when it has one of its own. Needs SYS_ADMIN. */
  readonly allowNetworkNamespace?: boolean;
}

/**
 * Captures from a process on this host, after making sure that the pprof that answers is its own.
 * @throws CaptureError `unreachable` with every way tried and why it failed, `other-process`, `not-found` when there is no such process
 */
export async function captureProcess(request: ProcessCaptureRequest): Promise<CaptureResult> {
  const { pid, signal, prefix, address, allowNetworkNamespace = false, ...rest } = request;
  const port = address?.port ?? 6060;
  const host = address?.host ?? '127.0.0.1';
  const expectArguments = await argumentsOf(pid);
  const candidates = await processCandidates(pid, { host, port }, allowNetworkNamespace);
  if (candidates.length === 0) {
    const message = `process ${pid} has a network namespace of its own; its ${host}:${port} needs SYS_ADMIN and to be allowed`;
    throw new CaptureError('unreachable', message);
  }
  const { target, failures } = await reach(candidates, signal, {
    expectArguments,
    host: `${host}:${port}`,
    ...(prefix === undefined ? {} : { prefix }),
  });
  if (target) return await capture({ ...rest, signal, target });
  const tried = failures.map(({ way, where, message }) => `${way} ${where}: ${message}`).join('; ');
  throw new CaptureError(failures.at(-1)?.code ?? 'unreachable', `no pprof of process ${pid} was reached: ${tried}`);
}

/** Ways to a port that a process listens on. The loopback of this host is not that of a process in another network namespace. */
export async function processCandidates(
  pid: number,
  address: { host: string; port: number },
  allowNetworkNamespace: boolean,
): Promise<readonly ReachCandidate[]> {
  const { host, port } = address;
  const where = `${host}:${port}`;
  const loopback = host === 'localhost' || host === '::1' || host.startsWith('127.');
  const direct: ReachCandidate = { way: 'direct', where, connect: connectTcp(host, port) };
  if (!loopback || (await sharesNetwork(pid))) return [direct];
  if (!allowNetworkNamespace) return [];
  return [
    { way: 'network-namespace', where: `${where} of process ${pid}`, connect: connectNetworkNamespace(pid, port) },
  ];
}

async function sharesNetwork(pid: number): Promise<boolean> {
  try {
    return (await readlink(`/proc/${pid}/ns/net`)) === (await readlink('/proc/self/ns/net'));
  } catch {
    // Not ours to look at: another user's process. The check of its arguments still tells whose pprof answers.
    return true;
  }
}

async function argumentsOf(pid: number): Promise<string[]> {
  try {
    const text = await readFile(`/proc/${pid}/cmdline`, 'utf8');
    return text.replace(/\0$/, '').split('\0');
  } catch (cause) {
    throw new CaptureError('not-found', `there is no process ${pid}`, cause);
  }
}
