import { closeSync, openSync, readSync } from 'node:fs';

/** A file's text, or the system's code for why it could not be read (`ENOENT`, `ESRCH`, `EACCES`, …). */
export type TextRead = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly code: string };

const defaultMaxBytes = 1024 * 1024;
// One buffer for all: reads are synchronous, so never two at once.
const buffer = Buffer.allocUnsafe(64 * 1024);

/**
 * Reads a file of /proc or a cgroup, which have no size in advance, up to `maxBytes`.
 * Synchronous on purpose: the kernel answers from memory, a hop through the thread pool costs several times the read.
 */
export function readTextFile(path: string, maxBytes = defaultMaxBytes): TextRead {
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    const parts: string[] = [];
    const decoder = new TextDecoder();
    let total = 0;
    while (total < maxBytes) {
      const count = readSync(fd, buffer, 0, Math.min(buffer.length, maxBytes - total), null);
      if (count === 0) break;
      parts.push(decoder.decode(buffer.subarray(0, count), { stream: true }));
      total += count;
    }
    parts.push(decoder.decode());
    return { ok: true, text: parts.join('') };
  } catch (error) {
    return { ok: false, code: errorCode(error) };
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** The text, or undefined: for callers to whom every reason is the same. */
export function textOf(path: string, maxBytes?: number): string | undefined {
  const read = readTextFile(path, maxBytes);
  return read.ok ? read.text : undefined;
}

/** Node's `error.code`; anything without one is a bug and is thrown on. */
export function errorCode(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  throw error;
}
