import { refuse } from './refusal.ts';
import type { ByteReader } from './types.ts';

const chunkBytes = 256 * 1024;

/** Bytes that one question about one file may read in all. A 400 MB Go program needs about 60 MB of them. */
export class ReadBudget {
  #left: number;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  spend(bytes: number): void {
    this.#left -= bytes;
    if (this.#left < 0)
      refuse('too-large', 'the tables of this file are larger than any Go program has; not read further');
  }
}

/**
 * Little-endian reads at file offsets through one cached chunk. Made for near-sequential access: use one window per stream.
 * Every read is checked: past the end of the file it refuses with `truncated`.
 */
export class Window {
  readonly size: number;
  readonly #reader: ByteReader;
  readonly #budget: ReadBudget;
  #start = 0;
  #bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));

  constructor(reader: ByteReader, budget: ReadBudget) {
    this.#reader = reader;
    this.#budget = budget;
    this.size = reader.size;
  }

  /** A second window on the same file, drawing on the same budget. */
  fork(): Window {
    return new Window(this.#reader, this.#budget);
  }

  u8(offset: number): number {
    const at = this.#at(offset, 1);
    return this.#view.getUint8(at);
  }

  u16(offset: number): number {
    const at = this.#at(offset, 2);
    return this.#view.getUint16(at, true);
  }

  u32(offset: number): number {
    const at = this.#at(offset, 4);
    return this.#view.getUint32(at, true);
  }

  /** 64 bits as a number; no address, offset or size in a loadable file reaches 2^53. */
  u64(offset: number): number {
    const at = this.#at(offset, 8);
    const high = this.#view.getUint32(at + 4, true);
    if (high >= 0x200000) refuse('malformed', `a 64-bit field at offset ${offset} holds an impossible value`);
    return high * 0x1_0000_0000 + this.#view.getUint32(at, true);
  }

  /** Exactly `length` bytes (a view: do not keep it across other reads, copy). */
  bytes(offset: number, length: number): Uint8Array {
    const at = this.#at(offset, length);
    return this.#bytes.subarray(at, at + length);
  }

  /** Up to `length` bytes, fewer at the end of the file. */
  upTo(offset: number, length: number): Uint8Array {
    const available = Math.max(0, Math.min(length, this.size - offset));
    return available === 0 ? new Uint8Array(0) : this.bytes(offset, available);
  }

  /** Makes `[offset, offset + length)` cached; returns its index in the cache. */
  #at(offset: number, length: number): number {
    const at = offset - this.#start;
    if (at >= 0 && at + length <= this.#bytes.length) return at;
    if (!(offset >= 0) || !(length >= 0) || offset + length > this.size) {
      refuse('truncated', `the file ends at ${this.size} but ${length} bytes at offset ${offset} are needed`);
    }
    const want = Math.min(Math.max(length, chunkBytes), this.size - offset);
    this.#budget.spend(want);
    const bytes = this.#reader.read(offset, want);
    if (bytes.length < length) refuse('truncated', `the file became shorter while being read, at offset ${offset}`);
    this.#start = offset;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return 0;
  }
}
