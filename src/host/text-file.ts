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
    const parts: Buffer[] = [];
    let total = 0;
    let filled = 0;
    while (total < maxBytes) {
      const count = readSync(fd, buffer, filled, Math.min(buffer.length - filled, maxBytes - total), null);
      if (count === 0) break;
      total += count;
      filled += count;
      if (filled < buffer.length) continue;
      parts.push(Buffer.from(buffer));
      filled = 0;
    }
    const last = buffer.subarray(0, filled);
    return { ok: true, text: (parts.length === 0 ? last : Buffer.concat([...parts, last])).toString() };
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
