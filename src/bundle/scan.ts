import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { ReadableStream } from 'node:stream/web';
import { readArchive } from './archive-read.ts';
import { attestationPath, manifestPath } from './manifest.ts';
import { BundleError, type BundleLimits, defaultBundleLimits } from './types.ts';

/** A path on disk or bytes as they come. */
export type BundleSource = string | AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>;

export interface ScannedFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

export interface Scan {
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly files: ReadonlyMap<string, ScannedFile>;
  /** Contents of the files that were asked for. */
  readonly kept: ReadonlyMap<string, Buffer>;
}

/** The manifest and the attestation are read into memory; a real one is a few KB. */
const maxControlFileBytes = 4 * 1024 * 1024;

/**
 * Reads a bundle once from end to end: digests of everything, contents of what `keep` asks for (manifest and attestation always).
 * Says nothing yet about whether the contents fit together: see `findProblems`.
 * @throws BundleError for an archive that is no canonical bundle, `unreadable` when the source fails
 */
export async function scan(
  source: BundleSource,
  limits: Partial<BundleLimits> = {},
  keep = (_path: string) => false,
): Promise<Scan> {
  const whole = { hash: createHash('sha256'), sizeBytes: 0 };
  const files = new Map<string, ScannedFile>();
  const kept = new Map<string, Buffer>();
  for await (const file of readArchive(tap(source, whole), { ...defaultBundleLimits, ...limits })) {
    const { path, sizeBytes } = file;
    const control = path === manifestPath || path === attestationPath;
    if (control && sizeBytes > maxControlFileBytes) {
      throw new BundleError('too-big', `${path} is larger than ${maxControlFileBytes} bytes`, { path });
    }
    const hash = createHash('sha256');
    const parts: Buffer[] = [];
    for await (const chunk of file.content) {
      hash.update(chunk);
      if (control || keep(path)) parts.push(chunk);
    }
    files.set(path, { path, sizeBytes, sha256: hash.digest('hex') });
    if (control || keep(path)) kept.set(path, Buffer.concat(parts));
  }
  return { sha256: whole.hash.digest('hex'), sizeBytes: whole.sizeBytes, files, kept };
}

async function* tap(source: BundleSource, whole: { hash: Hash; sizeBytes: number }): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of open(source)) {
      whole.hash.update(chunk);
      whole.sizeBytes += chunk.length;
      yield chunk;
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new BundleError('unreadable', `the bundle cannot be read: ${reason}`, { cause });
  }
}

export function open(source: BundleSource): AsyncIterable<Uint8Array> {
  return typeof source === 'string' ? createReadStream(source) : source;
}
