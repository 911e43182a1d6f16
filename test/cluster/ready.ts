import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import type { Authority } from './certificates.ts';

/** HTTP status of the URL, 0 when nobody answers in time. Unlike fetch, node:https takes the cluster's own authority for one call. */
export function statusOf(url: string, ca: string | Buffer, timeoutMs = 2_000): Promise<number> {
  return new Promise((resolve) => {
    const call = request(url, { ca, timeout: timeoutMs, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    call.on('timeout', () => call.destroy());
    call.on('error', () => resolve(0));
    call.end();
  });
}

export async function answers(url: string, authority: Authority): Promise<boolean> {
  return (await statusOf(url, await readFile(authority.certPath))) === 200;
}
