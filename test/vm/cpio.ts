/** The archive that the kernel unpacks into its first root file system: cpio in the "newc" format, plain or in any mix of files. Pure. */

export interface CpioEntry {
  /** Relative to the root, without a leading `/`. */
  readonly path: string;
  readonly type: 'file' | 'directory' | 'link';
  /** The file's bytes, or the link's target; nothing for a directory. */
  readonly content?: Uint8Array;
  /** Permission bits; default 0o755. */
  readonly mode?: number;
}

/** S_IFREG, S_IFDIR, S_IFLNK of stat(2). */
const typeBits = { file: 0o100000, directory: 0o040000, link: 0o120000 } as const;

/**
 * Format: Linux, Documentation/driver-api/early-userspace/buffer-format.rst. A header of 6 + 13 × 8 hexadecimal digits,
 * the name with its NUL, padding to 4 bytes, the content, padding to 4 bytes; a last entry is named TRAILER!!!.
 */
export function cpio(entries: readonly CpioEntry[]): Buffer {
  const parts = entries.flatMap((entry, index) =>
    record(
      entry.path,
      typeBits[entry.type] | (entry.mode ?? 0o755),
      entry.type === 'directory' ? 2 : 1,
      entry.content ?? new Uint8Array(),
      index + 1,
    ),
  );
  return Buffer.concat([...parts, ...record('TRAILER!!!', 0, 1, new Uint8Array(), 0)]);
}

function record(path: string, mode: number, links: number, content: Uint8Array, inode: number): readonly Uint8Array[] {
  const name = Buffer.from(`${path}\0`);
  // inode, mode, uid, gid, links, mtime, size, device (2), device it stands for (2), length of the name, checksum
  const fields = [inode, mode, 0, 0, links, 0, content.length, 0, 0, 0, 0, name.length, 0];
  const header = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`);
  return [header, name, padding(header.length + name.length), content, padding(content.length)];
}

function padding(length: number): Uint8Array {
  return new Uint8Array((4 - (length % 4)) % 4);
}
