import { gunzipStrict } from './gzip-frame.ts';
import { comparePaths, show } from './paths.ts';
import { BundleError, type BundleLimits } from './types.ts';
import { blockBytes, decodeHeader, endOfArchive, paddingBytes } from './ustar.ts';

export interface ArchiveFile {
  readonly path: string;
  readonly sizeBytes: number;
  /** To be consumed before the next file is asked for; what is left over is skipped. */
  readonly content: AsyncIterable<Buffer>;
}

/**
 * Walks a bundle's files in order, in constant memory. Links, unsafe or repeated names, any order but the sorted one, foreign headers,
 * padding that is not zero, and trailing bytes are refused: one file list has exactly one legal archive.
 * @throws BundleError; nothing that was yielded is to be believed until the walk has ended normally
 */
export async function* readArchive(
  source: AsyncIterable<Uint8Array>,
  limits: BundleLimits,
): AsyncGenerator<ArchiveFile> {
  const chunks = gunzipStrict(source, limits.maxArchiveBytes);
  const reader = new ByteReader(chunks);
  let previous: string | undefined;
  let totalBytes = 0;
  let count = 0;
  try {
    for (;;) {
      const header = decodeHeader(await reader.take(blockBytes));
      if (header === 'end') break;
      const { path, sizeBytes } = header;
      checkOrder(previous, path);
      previous = path;
      totalBytes += sizeBytes;
      count += 1;
      checkSize(path, sizeBytes, totalBytes, count, limits);
      const content = reader.stream(sizeBytes);
      yield { path, sizeBytes, content };
      for await (const _rest of content) {
        // Skips what the caller left.
      }
      checkZero(await reader.take(paddingBytes(sizeBytes)), path);
    }
    checkZero(await reader.take(endOfArchive.length - blockBytes), 'the end of the archive');
    await reader.expectEnd();
  } finally {
    await chunks.return(undefined);
  }
}

function checkOrder(previous: string | undefined, path: string): void {
  if (previous === undefined || comparePaths(previous, path) < 0) return;
  if (previous === path) throw new BundleError('duplicate', `bundle entry ${show(path)} comes twice`, { path });
  throw new BundleError('not-canonical', `bundle entry ${show(path)} is out of order: the bundle was repacked`, {
    path,
  });
}

function checkSize(path: string, sizeBytes: number, totalBytes: number, count: number, limits: BundleLimits): void {
  if (count > limits.maxFiles) throw new BundleError('too-big', `the bundle holds more than ${limits.maxFiles} files`);
  if (sizeBytes > limits.maxFileBytes) {
    throw new BundleError('too-big', `bundle entry ${show(path)} is larger than ${limits.maxFileBytes} bytes`, {
      path,
    });
  }
  if (totalBytes > limits.maxTotalBytes) {
    throw new BundleError('too-big', `the bundle unpacks to more than ${limits.maxTotalBytes} bytes`, { path });
  }
}

function checkZero(bytes: Buffer, where: string): void {
  if (bytes.some((byte) => byte !== 0)) {
    throw new BundleError('not-canonical', `there are hidden bytes after ${show(where)}: the bundle was altered`);
  }
}

/** Takes exact amounts from a sequence of chunks. */
class ByteReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #held: Buffer = Buffer.alloc(0);

  constructor(chunks: AsyncIterator<Buffer>) {
    this.#chunks = chunks;
  }

  async take(length: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for await (const part of this.stream(length)) parts.push(part);
    return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
  }

  /** An iterable that can be left and taken up again, unlike a generator. */
  stream(length: number): AsyncIterable<Buffer> {
    let left = length;
    const next = async (): Promise<IteratorResult<Buffer>> => {
      if (left === 0) return { done: true, value: undefined };
      if (this.#held.length === 0) await this.#refill();
      const part = this.#held.subarray(0, left);
      this.#held = this.#held.subarray(part.length);
      left -= part.length;
      return { done: false, value: part };
    };
    return { [Symbol.asyncIterator]: () => ({ next }) };
  }

  async expectEnd(): Promise<void> {
    const rest = this.#held.length > 0 ? { done: false } : await this.#chunks.next();
    if (!rest.done)
      throw new BundleError('not-canonical', 'there are bytes after the end of the archive: the bundle was altered');
  }

  async #refill(): Promise<void> {
    const { done, value } = await this.#chunks.next();
    if (done) throw new BundleError('truncated', 'the archive inside the bundle ends too early: fetch it again');
    this.#held = value;
  }
}
