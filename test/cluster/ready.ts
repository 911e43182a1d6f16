import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import type { Authority, KeyPair } from './certificates.ts';
import { ClusterError } from './errors.ts';
import { patient } from './patience.ts';
import { assertRunning, type ProcessRecord, waitUntil } from './processes.ts';

export interface Trust {
  readonly ca: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
}

/** HTTP status of the URL, 0 when nobody answers in time. Unlike fetch, node:https takes the cluster's own authority for one call. */
export function statusOf(url: string, trust: Trust, timeoutMs = 2_000): Promise<number> {
  return new Promise((resolve) => {
    const call = request(url, { ...trust, timeout: timeoutMs, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    call.on('timeout', () => call.destroy());
    call.on('error', () => resolve(0));
    call.end();
  });
}

export interface ApiserverWait {
  readonly url: string;
  readonly authority: Authority;
  readonly admin: KeyPair;
  /** Fails at once when one of them ends. */
  readonly processes: readonly ProcessRecord[];
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Returns when the API server is ready and has made the namespace `default`, which it does a moment after /readyz turns 200.
 * @throws ClusterError NOT_READY, PROCESS_ENDED
 */
export async function waitForApiserver(wait: ApiserverWait): Promise<void> {
  const [ca, cert, key] = await Promise.all(
    [wait.authority.certPath, wait.admin.certPath, wait.admin.keyPath].map((path) => readFile(path)),
  );
  if (ca === undefined || cert === undefined || key === undefined) return;
  const isOk = async (path: string) => (await statusOf(wait.url + path, { ca, cert, key })) === 200;
  const timeoutMs = wait.timeoutMs ?? patient(60_000);
  const ready = await waitUntil(
    async () => {
      wait.processes.forEach(assertRunning);
      return (await isOk('/readyz')) && (await isOk('/api/v1/namespaces/default'));
    },
    timeoutMs,
    wait.signal,
  );
  if (!ready) {
    const logs = wait.processes.map((record) => record.logPath).join(', ');
    throw new ClusterError(
      'NOT_READY',
      `the API server at ${wait.url} was not ready within ${timeoutMs} ms; logs: ${logs}`,
    );
  }
}
