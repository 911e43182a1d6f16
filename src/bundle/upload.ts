import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { request, type Tls } from '../http/index.ts';
import { formatContentDigest } from './content-digest.ts';
import { TransferError } from './receive.ts';

export interface UploadRequest {
  /** The operator's upload address; the bundle is POSTed there. */
  readonly url: string;
  /** Bearer token; a function is asked before each try, since mounted tokens rotate. */
  readonly token: string | (() => Promise<string>);
  readonly file: string;
  /** sha256 of the file, hex; the operator's acknowledgement must name the same. */
  readonly sha256: string;
  readonly incident: { readonly namespace: string; readonly name: string; readonly uid: string };
  readonly signal: AbortSignal;
  /** Trust, for example the cluster's CA. */
  readonly tls?: Tls;
  readonly retry?: Partial<RetryOptions>;
  /** Told before each wait. */
  readonly onRetry?: (reason: string, waitMs: number) => void;
}

export interface RetryOptions {
  /** Tries in all. Default 8. */
  readonly tries: number;
  /** First wait, doubled each time up to `maxWaitMs`, with full jitter. Defaults 500 ms and 30 s. */
  readonly firstWaitMs: number;
  readonly maxWaitMs: number;
  /** Longest wait after `503` with code `not-leader`: the very next connection may meet the leader, or none leads yet. Default 250 ms. */
  readonly notLeaderWaitMs: number;
  /** One try, connection and answer included. Default 2 min. */
  readonly timeoutMs: number;
}

/** First wait where another replica leads. */
const soonMs = 10;

const defaultRetry: RetryOptions = {
  tries: 8,
  firstWaitMs: 500,
  maxWaitMs: 30_000,
  notLeaderWaitMs: 250,
  timeoutMs: 120_000,
};

/** What the operator answers: `{sha256}` with 200 or 201, `{code, message}` otherwise. */
const acknowledgement = z.object({ sha256: z.string() });
const refusal = z.object({ code: z.string(), message: z.string().optional() });

type Outcome =
  | { readonly type: 'acknowledged' }
  | { readonly type: 'retry'; readonly reason: string; readonly waitMs?: number }
  | { readonly type: 'not-leader'; readonly reason: string }
  | { readonly type: 'rejected'; readonly reason: string };

/**
 * Sends a bundle to the operator and returns when the operator has acknowledged its digest. Sending the same bundle again is safe.
 * Network errors, 408, 425, 429 (Retry-After is kept) and 5xx are tried again; any other answer is final.
 * @throws TransferError `rejected`, `unreachable` (tries used up), `aborted`
 */
export async function uploadBundle(upload: UploadRequest): Promise<void> {
  const retry = { ...defaultRetry, ...upload.retry };
  let last = '';
  for (let round = 0; round < retry.tries; round++) {
    upload.signal.throwIfAborted();
    const outcome = await tryOnce(upload, retry);
    if (outcome.type === 'acknowledged') return;
    if (outcome.type === 'rejected')
      throw new TransferError('rejected', `the operator refused the bundle: ${outcome.reason}`);
    last = outcome.reason;
    if (round === retry.tries - 1) break;
    const waitMs = waitAfter(outcome, round, retry);
    upload.onRetry?.(last, waitMs);
    await sleep(waitMs, undefined, { signal: upload.signal });
  }
  throw new TransferError(
    'unreachable',
    `the bundle could not be delivered in ${retry.tries} tries, the last: ${last}; it stays in the outbox`,
  );
}

function waitAfter(
  outcome: Exclude<Outcome, { type: 'acknowledged' | 'rejected' }>,
  round: number,
  { firstWaitMs, maxWaitMs, notLeaderWaitMs }: RetryOptions,
): number {
  if (outcome.type === 'not-leader') return Math.min(notLeaderWaitMs, soonMs * 2 ** round);
  return outcome.waitMs ?? Math.random() * Math.min(maxWaitMs, firstWaitMs * 2 ** round);
}

async function tryOnce(upload: UploadRequest, retry: RetryOptions): Promise<Outcome> {
  const { size } = await stat(upload.file);
  const body = createReadStream(upload.file);
  try {
    const token = typeof upload.token === 'string' ? upload.token : await upload.token();
    const response = await request(upload.url, {
      method: 'POST',
      headers: headersOf(upload, token, size),
      body,
      signal: AbortSignal.any([upload.signal, AbortSignal.timeout(retry.timeoutMs)]),
      // Over a connection of its own: a kept one would lead to the same replica each time, though another one may be the leader by now.
      ...(upload.tls ? { tls: upload.tls } : {}),
    });
    const answer = await boundedText(response.body);
    return judge(response.status, response.headers, answer, upload.sha256, retry.maxWaitMs);
  } catch (error) {
    upload.signal.throwIfAborted();
    return { type: 'retry', reason: error instanceof Error ? error.message : String(error) };
  } finally {
    body.destroy();
  }
}

function headersOf(upload: UploadRequest, token: string, sizeBytes: number): Record<string, string> {
  const { namespace, name, uid } = upload.incident;
  return {
    authorization: `Bearer ${token}`,
    'content-type': 'application/gzip',
    'content-length': String(sizeBytes),
    'content-digest': formatContentDigest(upload.sha256),
    'robotgc-incident': `${namespace}/${name}/${uid}`,
  };
}

function judge(
  status: number,
  headers: Record<string, string | string[] | undefined>,
  text: string,
  sha256: string,
  maxWaitMs: number,
): Outcome {
  if (status === 200 || status === 201) {
    const answer = acknowledgement.safeParse(jsonOf(text));
    if (answer.success && answer.data.sha256 === sha256) return { type: 'acknowledged' };
    return { type: 'retry', reason: 'the acknowledgement names another digest' };
  }
  const said = refusal.safeParse(jsonOf(text));
  const reason = `${status} ${said.success ? (said.data.message ?? said.data.code) : text.slice(0, 200)}`.trim();
  if (status === 503 && said.success && said.data.code === 'not-leader') return { type: 'not-leader', reason };
  if (status >= 500 || status === 408 || status === 425 || status === 429) {
    const seconds = Number(headers['retry-after']);
    const waitMs = Number.isFinite(seconds) && seconds > 0 ? { waitMs: Math.min(seconds * 1000, maxWaitMs) } : {};
    return { type: 'retry', reason, ...waitMs };
  }
  return { type: 'rejected', reason };
}

const maxAnswerBytes = 64 * 1024;

async function boundedText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxAnswerBytes) break;
    parts.push(chunk);
  }
  return Buffer.concat(parts).toString('utf8');
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
