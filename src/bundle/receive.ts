import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { formatContentDigest, parseContentDigest } from './content-digest.ts';

export interface ReceiveLimits {
  readonly maxBytes: number;
  /** Folder for the temporary file; created (0700) when missing. */
  readonly folder: string;
  /** The whole transfer must be over by then. Default 2 min. */
  readonly timeoutMs?: number;
}

export interface ReceivedBundle {
  /** Temporary file (0600); the caller moves or deletes it. */
  readonly file: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

export type TransferErrorCode =
  | 'too-large'
  | 'digest-missing'
  | 'digest-mismatch'
  | 'cut-off'
  | 'timeout'
  | 'rejected'
  | 'unreachable'
  | 'aborted';

const statusOf: Partial<Record<TransferErrorCode, number>> = {
  'too-large': 413,
  'digest-missing': 400,
  'digest-mismatch': 422,
  'cut-off': 400,
  timeout: 408,
};

/** A failed transfer; `httpStatus` is what the receiving side answers. */
export class TransferError extends Error {
  readonly code: TransferErrorCode;
  readonly httpStatus: number;
  constructor(code: TransferErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'TransferError';
    this.code = code;
    this.httpStatus = statusOf[code] ?? 500;
  }
}

/**
 * Streams a request's body to a temporary file, within a size and a time, and checks it against the `Content-Digest` header
 * (RFC 9530, `sha-256=:base64:`), which is required. The caller has authenticated the request and judges the bundle afterwards.
 * @throws TransferError, with nothing left on disk
 */
export async function receiveBundle(request: IncomingMessage, limits: ReceiveLimits): Promise<ReceivedBundle> {
  const expected = parseContentDigest(request.headers['content-digest']);
  if (!expected) throw new TransferError('digest-missing', 'the request has no Content-Digest header with a sha-256');
  if (Number(request.headers['content-length'] ?? 0) > limits.maxBytes) throw tooLarge(limits.maxBytes);

  await mkdir(limits.folder, { recursive: true, mode: 0o700 });
  const file = join(limits.folder, `upload-${randomBytes(8).toString('hex')}.tar.gz`);
  const deadline = AbortSignal.timeout(limits.timeoutMs ?? 120_000);
  const expire = () => request.destroy(new TransferError('timeout', 'the upload took too long'));
  deadline.addEventListener('abort', expire, { once: true });
  try {
    const { sha256, sizeBytes } = await spool(request, file, limits.maxBytes);
    if (sha256 !== expected) {
      const message = `the body has digest ${formatContentDigest(sha256)}, announced was ${formatContentDigest(expected)}`;
      throw new TransferError('digest-mismatch', message);
    }
    return { file, sha256, sizeBytes };
  } catch (error) {
    await rm(file, { force: true });
    if (error instanceof TransferError) throw error;
    if (request.complete) throw error;
    throw new TransferError('cut-off', 'the connection ended before the whole bundle had come', error);
  } finally {
    deadline.removeEventListener('abort', expire);
  }
}

async function spool(
  request: IncomingMessage,
  file: string,
  maxBytes: number,
): Promise<{ sha256: string; sizeBytes: number }> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const handle = await open(file, 'wx', 0o600);
  try {
    // Left open on an early exit: the caller still answers on this connection.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      sizeBytes += chunk.length;
      if (sizeBytes > maxBytes) throw tooLarge(maxBytes);
      hash.update(chunk);
      await handle.writeFile(chunk);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  return { sha256: hash.digest('hex'), sizeBytes };
}

function tooLarge(maxBytes: number): TransferError {
  return new TransferError('too-large', `a bundle may have at most ${maxBytes} bytes`);
}
