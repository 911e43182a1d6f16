import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import type { Authority } from './certificates.ts';

/** True when the URL answers 200. Unlike fetch, node:https takes the cluster's own authority for one call. */
export async function answers(url: string, authority: Authority, timeoutMs = 2_000): Promise<boolean> {
  const ca = await readFile(authority.certPath);
  return new Promise((resolve) => {
    const call = request(url, { ca, timeout: timeoutMs, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    call.on('timeout', () => call.destroy());
    call.on('error', () => resolve(false));
    call.end();
  });
}
