import { checkPath, show } from './paths.ts';
import { BundleError } from './types.ts';

/*
 * The canonical subset of ustar (POSIX.1-1988, IEEE 1003.1 "ustar Interchange Format") that a bundle consists of: regular files,
 * mode 0644, owner 0:0, mtime 0, name of at most 100 ASCII bytes. A reader of the full format (pax records, GNU long names,
 * base-256 sizes, links) can be made to see other files than the next reader does; here each header has exactly one legal form.
 */
export const blockBytes = 512;
export const endOfArchive = Buffer.alloc(2 * blockBytes);
const sizeField = { at: 124, length: 12 };
const checksumAt = 148;
const typeAt = 156;
const magicAt = 257;

export interface TarHeader {
  readonly path: string;
  readonly sizeBytes: number;
}

/** The one header block that a bundle may hold for this path and size (below 8 GiB). */
export function encodeHeader({ path, sizeBytes }: TarHeader): Buffer {
  const block = Buffer.alloc(blockBytes);
  block.write(path, 0, 'latin1');
  block.write('000644 \0', 100, 'latin1');
  block.write('000000 \0', 108, 'latin1');
  block.write('000000 \0', 116, 'latin1');
  block.write(`${sizeBytes.toString(8).padStart(11, '0')} `, sizeField.at, 'latin1');
  block.write('00000000000 ', 136, 'latin1');
  block.write('0', typeAt, 'latin1');
  block.write('ustar\u000000', magicAt, 'latin1');
  block.write('000000 \0', 329, 'latin1');
  block.write('000000 \0', 337, 'latin1');
  block.write(`${checksum(block).toString(8).padStart(6, '0')} \0`, checksumAt, 'latin1');
  return block;
}

/**
 * Reads one header block; `end` for a block of zeros (the first of the two that end an archive).
 * @throws BundleError `not-a-bundle` when it is no tar header, `unsafe-entry` for links, directories and extensions, `unsafe-path`,
 * `not-canonical` for any other deviation from `encodeHeader`.
 */
export function decodeHeader(block: Buffer): TarHeader | 'end' {
  if (block.every((byte) => byte === 0)) return 'end';
  if (block.toString('latin1', magicAt, magicAt + 5) !== 'ustar') {
    throw new BundleError('not-a-bundle', 'there is no tar archive inside the gzip data: this is not a robotgc bundle');
  }
  const path = cString(block.subarray(0, 100));
  const type = String.fromCharCode(block[typeAt] ?? 0);
  if (type !== '0') {
    throw new BundleError(
      'unsafe-entry',
      `bundle entry ${show(path)} is ${typeName(type)}; a bundle holds regular files only`,
      {
        path,
      },
    );
  }
  checkPath(path);
  const digits = block.toString('latin1', sizeField.at, sizeField.at + 11);
  const sizeBytes = /^[0-7]{11}$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
  if (Number.isNaN(sizeBytes) || !encodeHeader({ path, sizeBytes }).equals(block)) {
    throw new BundleError(
      'not-canonical',
      `the header of bundle entry ${show(path)} was not written by robotgc: altered or repacked`,
      {
        path,
      },
    );
  }
  return { path, sizeBytes };
}

/** Zero bytes that follow a file of this size up to the next block. */
export function paddingBytes(sizeBytes: number): number {
  return (blockBytes - (sizeBytes % blockBytes)) % blockBytes;
}

/** Sum of the bytes with the checksum field itself read as eight spaces. */
function checksum(block: Buffer): number {
  let sum = 8 * 32;
  for (const [index, byte] of block.entries()) if (index < checksumAt || index >= typeAt) sum += byte;
  return sum;
}

function cString(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('latin1', 0, end === -1 ? bytes.length : end);
}

const typeNames: Record<string, string> = {
  '\0': 'of the old tar format',
  '1': 'a hard link',
  '2': 'a symbolic link',
  '3': 'a character device',
  '4': 'a block device',
  '5': 'a directory',
  '6': 'a FIFO',
  x: 'a pax extension',
  g: 'a pax extension',
  L: 'a GNU extension',
  K: 'a GNU extension',
  S: 'a sparse file',
};

function typeName(type: string): string {
  return typeNames[type] ?? `of unknown type ${show(type)}`;
}
