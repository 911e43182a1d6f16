import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

/** A file for random reads; fits `ByteReader` of the Go-binary room. Close it, or declare it with `using`. */
export interface FileReader extends Disposable {
  /** Bytes in the file when it was opened. */
  readonly size: number;
  /** Bytes of `[offset, offset + length)` that exist. At most 64 MiB at once. */
  read(offset: number, length: number): Uint8Array;
  close(): void;
}

const maxReadBytes = 64 * 1024 * 1024;

/**
 * Opens a regular file, for example `/proc/PID/exe`. Throws node's system error (`ENOENT`, `EACCES`, …), also when a read fails;
 * `EINVAL` for what is no regular file (a FIFO would block for ever).
 */
export function openFileReader(path: string): FileReader {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  let size: number;
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw Object.assign(new Error(`EINVAL: not a regular file: ${path}`), { code: 'EINVAL', path });
    size = stat.size;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  let open = true;
  const close = (): void => {
    if (open) closeSync(fd);
    open = false;
  };
  return {
    size,
    read(offset, length) {
      if (!open) throw Object.assign(new Error(`EBADF: reader of ${path} is closed`), { code: 'EBADF', path });
      const wanted = Math.min(length, maxReadBytes, size - offset);
      if (!(offset >= 0) || !(wanted > 0)) return new Uint8Array(0);
      const bytes = new Uint8Array(wanted);
      let filled = 0;
      while (filled < wanted) {
        const count = readSync(fd, bytes, filled, wanted - filled, offset + filled);
        if (count === 0) break;
        filled += count;
      }
      return bytes.subarray(0, filled);
    },
    close,
    [Symbol.dispose]: close,
  };
}
