import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { countSamples, decodeProfile, ProfileError } from '../profile/index.ts';
import type { Format } from './plan.ts';
import { CaptureError } from './types.ts';

const unpack = promisify(gunzip);

/**
 * Checks that the bytes are what was asked for.
 * @returns samples in a pprof profile, goroutines in a dump, undefined for a trace
 * @throws CaptureError `wrong-content`, `too-big` (unpacks to more than `maxUnpackedBytes`)
 */
export async function checkContent(
  bytes: Uint8Array,
  format: Format,
  maxUnpackedBytes: number,
): Promise<number | undefined> {
  switch (format) {
    case 'pprof':
      return decoded(await gunzipWithin(bytes, maxUnpackedBytes));
    case 'trace':
      return checkTrace(bytes);
    case 'goroutine-text':
      return countGoroutines(bytes);
  }
}

async function gunzipWithin(bytes: Uint8Array, maxUnpackedBytes: number): Promise<Uint8Array> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) throw wrong('a gzip-ed pprof profile', bytes);
  try {
    return await unpack(bytes, { maxOutputLength: maxUnpackedBytes });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') {
      throw new CaptureError(
        'too-big',
        `the profile unpacks to more than ${maxUnpackedBytes} bytes: hostile or broken`,
        error,
      );
    }
    throw new CaptureError('wrong-content', 'the profile is damaged: its gzip data cannot be unpacked', error);
  }
}

/** Decoding takes some ten times the bytes in memory, next to a patient that is short of it. */
const maxDecodedBytes = 8 * 1024 * 1024;

/** Always checks the form; the references too where that is cheap. */
function decoded(unpacked: Uint8Array): number {
  try {
    if (unpacked.length > maxDecodedBytes) return countSamples(unpacked);
    return decodeProfile(unpacked).samples.length;
  } catch (error) {
    if (error instanceof ProfileError)
      throw new CaptureError('wrong-content', `the profile cannot be read: ${error.message}`, error);
    throw error;
  }
}

/** Header of a Go execution trace: 16 bytes, `go 1.22 trace\0\0\0` (internal/trace/version). */
function checkTrace(bytes: Uint8Array): undefined {
  const header = Buffer.from(bytes.subarray(0, 16)).toString('latin1');
  if (!/^go 1\.\d{1,3} trace\0+$/.test(header)) throw wrong('a Go execution trace', bytes);
  if (bytes.length === 16) throw new CaptureError('wrong-content', 'the execution trace has no events');
  return undefined;
}

/** debug=2: `goroutine 1 [running]:` begins each stack, an empty line ends it. debug=1: `goroutine profile: total 7`. */
function countGoroutines(bytes: Uint8Array): number {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const total = /^goroutine profile: total (\d+)\n/.exec(text.toString('latin1', 0, 60))?.[1];
  if (total !== undefined) return Number(total);
  if (!/^goroutine \d+ /.test(text.toString('latin1', 0, 32))) throw wrong('a goroutine dump', bytes);
  let count = 1;
  const mark = '\n\ngoroutine ';
  for (let at = text.indexOf(mark); at !== -1; at = text.indexOf(mark, at + mark.length)) count += 1;
  return count;
}

function wrong(wanted: string, bytes: Uint8Array): CaptureError {
  return new CaptureError(
    'wrong-content',
    `the answer is not ${wanted}; it begins with ${excerpt(bytes)}: is this really pprof?`,
  );
}

/** The beginning of foreign bytes, safe for logs. */
export function excerpt(bytes: Uint8Array, length = 60): string {
  return JSON.stringify(
    Buffer.from(bytes.subarray(0, length))
      .toString('latin1')
      .replace(/[^\x20-\x7e]/g, '.'),
  );
}
