import { fetchBounded } from './fetch.ts';
import { CaptureError, type PprofTransport } from './types.ts';

const maxIndexBytes = 256 * 1024;

/**
 * How many goroutines the process has, from the index page of net/http/pprof, which costs it nothing: a table row
 * `<td>117</td><td><a href='goroutine?debug=1'>goroutine</a></td>` (Go 1.22 to 1.26).
 * @returns undefined when there is no such page or row
 */
export async function goroutineCount(
  transport: PprofTransport,
  prefix: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  try {
    const budget = { leftBytes: maxIndexBytes };
    const request = { path: `${prefix}/`, maxBytes: maxIndexBytes, budget, deadlineMs: 5_000, signal };
    const page = (await fetchBounded(transport, request)).toString('latin1');
    const count = /<td>(\d{1,9})<\/td>\s*<td><a href='?goroutine\b/.exec(page)?.[1];
    return count === undefined ? undefined : Number(count);
  } catch (error) {
    if (error instanceof CaptureError) return undefined;
    throw error;
  }
}
