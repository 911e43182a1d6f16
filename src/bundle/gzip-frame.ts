import { crc32, createInflateRaw } from 'node:zlib';
import { BundleError } from './types.ts';

/** gzip member header (RFC 1952): deflate, no flags, no mtime, no extra flags, operating system unknown. */
export const gzipHeader = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
export const gzipTrailerBytes = 8;

/** Running crc32 and length of the unpacked bytes, and the member trailer made of them. */
export class GzipTrailer {
  #crc = 0;
  #length = 0;

  update(chunk: Uint8Array): void {
    this.#crc = crc32(chunk, this.#crc);
    this.#length += chunk.length;
  }

  bytes(): Buffer {
    const trailer = Buffer.alloc(gzipTrailerBytes);
    trailer.writeUInt32LE(this.#crc >>> 0, 0);
    trailer.writeUInt32LE(this.#length % 2 ** 32, 4);
    return trailer;
  }
}

/**
 * Unpacks exactly one gzip member with the header above and nothing after it. Yields as it goes: nothing is to be believed until
 * the generator has ended normally.
 * @throws BundleError `not-a-bundle`, `truncated`, `corrupt`, `not-canonical` (bytes after the end), `too-big`
 */
export async function* gunzipStrict(
  source: AsyncIterable<Uint8Array>,
  maxArchiveBytes: number,
): AsyncGenerator<Buffer> {
  const inflate = createInflateRaw();
  const state = { bodyBytes: 0, trailer: Buffer.alloc(0), failure: undefined as unknown };
  const pump = feed(source, maxArchiveBytes, inflate, state).catch((error: unknown) => {
    state.failure = error;
    inflate.destroy();
  });
  const expected = new GzipTrailer();
  try {
    for await (const chunk of inflate as AsyncIterable<Buffer>) {
      expected.update(chunk);
      yield chunk;
    }
    await pump;
  } catch (error) {
    throw state.failure ?? inflateError(error);
  } finally {
    inflate.destroy();
  }
  if (state.failure !== undefined) throw state.failure;
  if (inflate.bytesWritten !== state.bodyBytes) {
    throw new BundleError('not-canonical', 'there are bytes after the end of the gzip data: the bundle was altered');
  }
  if (!state.trailer.equals(expected.bytes())) {
    throw new BundleError('corrupt', 'the gzip checksum does not match: the bundle was damaged or altered');
  }
}

interface FeedState {
  bodyBytes: number;
  trailer: Buffer;
}

/** Checks the header, holds back the last eight bytes as the trailer, writes what is between to the inflater. */
async function feed(
  source: AsyncIterable<Uint8Array>,
  maxArchiveBytes: number,
  inflate: ReturnType<typeof createInflateRaw>,
  state: FeedState,
): Promise<void> {
  let held = Buffer.alloc(0);
  let headerSeen = false;
  let seenBytes = 0;
  for await (const chunk of source) {
    seenBytes += chunk.length;
    if (seenBytes > maxArchiveBytes) {
      throw new BundleError(
        'too-big',
        `the bundle is larger than ${maxArchiveBytes} bytes; raise the limit if it is to be trusted`,
      );
    }
    held = Buffer.concat([held, chunk]);
    if (!headerSeen) {
      if (held.length < gzipHeader.length) continue;
      checkGzipHeader(held.subarray(0, gzipHeader.length));
      headerSeen = true;
      held = held.subarray(gzipHeader.length);
    }
    const ready = held.length - gzipTrailerBytes;
    if (ready <= 0) continue;
    state.bodyBytes += ready;
    await write(inflate, held.subarray(0, ready));
    if (inflate.destroyed) return;
    held = Buffer.from(held.subarray(ready));
  }
  if (!headerSeen) checkGzipHeader(held);
  if (held.length < gzipTrailerBytes) throw new BundleError('truncated', 'the bundle ends too early: fetch it again');
  state.trailer = held;
  inflate.end();
}

/** Waits until the chunk is consumed; a chunk after the end of the deflate stream, or a destroyed inflater, does not block. */
async function write(inflate: ReturnType<typeof createInflateRaw>, chunk: Buffer): Promise<void> {
  await new Promise<void>((resolve) => {
    inflate.once('close', resolve);
    inflate.write(chunk, () => {
      inflate.off('close', resolve);
      resolve();
    });
  });
}

function checkGzipHeader(header: Buffer): void {
  if (header.length === 0) throw new BundleError('truncated', 'the bundle is empty');
  if (header[0] !== 0x1f || (header.length > 1 && header[1] !== 0x8b)) {
    throw new BundleError('not-a-bundle', 'this is not gzip data, so not a robotgc bundle');
  }
  if (header.length < gzipHeader.length)
    throw new BundleError('truncated', 'the bundle ends too early: fetch it again');
  if (!header.equals(gzipHeader)) {
    throw new BundleError(
      'not-canonical',
      'the gzip header was not written by robotgc: not a bundle, or repacked by another tool',
    );
  }
}

function inflateError(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'Z_BUF_ERROR')
    return new BundleError('truncated', 'the bundle ends too early: fetch it again', { cause: error });
  if (typeof code === 'string' && code.startsWith('Z_')) {
    return new BundleError('corrupt', 'the gzip data cannot be unpacked: the bundle was damaged or altered', {
      cause: error,
    });
  }
  return error;
}
