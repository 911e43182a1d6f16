/**
 * A run of objects of one form, as what changes from each to the next. A second of a quiet container is much like the one before: of a
 * hundred figures a dozen change, and those by little. Pure.
 */
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { ByteReader, ByteWriter } from './bytes.ts';
import { Changes } from './changes.ts';
import { type Form, fromLeaves, type Leaf } from './leaves.ts';

/** How a changed leaf is written. */
const asDelta = 0;
const asFloat = 1;
const asWord = 2;
const asTime = 3;
/** Like the leaf just before it in the object: of few stalls the longest is the 99th percentile, of one it is their sum too. */
const asBefore = 4;
const ways = 8;

/** Beyond, a difference of whole numbers is not exact. */
const maxDelta = 2 ** 52;
const firstBytes = 512;
/**
 * A third less for a tenth of a millisecond a minute: figures that go up and down do so in like ways. Tables for as much as a block is: with
 * zlib's own, four times as large, asking the kernel for them took as long again.
 */
const deflating = { level: constants.Z_BEST_SPEED, windowBits: 13, memLevel: 6 };

// One for all: filled and used within one call.
const changes = new Changes();

export class Block {
  readonly form: Form;
  #length = 0;
  /** Strings and the like, each once. */
  readonly #words: Leaf[] = [];
  #last: Leaf[];
  #before: object | null = null;
  #writer: ByteWriter | null = new ByteWriter(firstBytes);
  #packed: Uint8Array | null = null;

  constructor(form: Form) {
    this.form = form;
    this.#last = new Array<Leaf>(form.leafCount).fill(0);
  }

  get length(): number {
    return this.#length;
  }

  /** @returns false, and takes nothing, when the object is of another form */
  push(item: object): boolean {
    const writer = this.#writer;
    if (!writer) throw new RangeError('a closed block takes nothing more');
    const last = this.#last;
    if (!changes.find(this.form, item, this.#before, last)) return false;
    writer.count(changes.length);
    let from = 0;
    for (let n = 0; n < changes.length; n++) {
      const at = changes.at[n] ?? 0;
      const value = changes.values[n];
      if (at > 0 && Object.is(value, last[at - 1])) writer.count((at - from) * ways + asBefore);
      else this.#write(writer, at - from, last[at], value);
      last[at] = value;
      from = at;
    }
    this.#before = item;
    this.#length += 1;
    return true;
  }

  /** Gives back what only more objects would need. */
  close(): void {
    // Copied: zlib answers with a part of a larger buffer.
    if (this.#writer) this.#packed = new Uint8Array(deflateRawSync(this.#writer.bytes(), deflating));
    this.#writer = null;
    this.#last = [];
    this.#before = null;
  }

  /** The objects as they were pushed, but for the first `skipped` of them. */
  *objects(skipped = 0): Generator<unknown> {
    const reader = new ByteReader(this.#bytes());
    const leaves = new Array<Leaf>(this.form.leafCount).fill(0);
    for (let n = 0; n < this.#length; n++) {
      let at = 0;
      for (let changed = reader.count(); changed > 0; changed--) {
        const head = reader.count();
        at += Math.floor(head / ways);
        const how = head % ways;
        leaves[at] = how === asBefore ? leaves[at - 1] : this.#read(reader, how, leaves[at]);
      }
      if (n >= skipped) yield fromLeaves(this.form, leaves);
    }
  }

  #bytes(): Uint8Array {
    return this.#packed ? inflateRawSync(this.#packed) : (this.#writer?.bytes() ?? new Uint8Array());
  }

  #write(writer: ByteWriter, gap: number, before: Leaf, value: Leaf): void {
    if (typeof value === 'number' && !Number.isNaN(value) && !Object.is(value, -0)) {
      const delta = Number.isSafeInteger(value) ? value - numberOf(before) : Number.NaN;
      if (Number.isSafeInteger(delta) && Math.abs(delta) < maxDelta) {
        writer.count(gap * ways + asDelta);
        writer.delta(delta);
      } else {
        writer.count(gap * ways + asFloat);
        writer.float(value);
      }
      return;
    }
    const timeMs = timeOf(value);
    if (timeMs !== undefined) {
      writer.count(gap * ways + asTime);
      writer.delta(timeMs - (timeOf(before) ?? 0));
      return;
    }
    writer.count(gap * ways + asWord);
    writer.count(this.#wordOf(value));
  }

  #read(reader: ByteReader, how: number, before: Leaf): Leaf {
    switch (how) {
      case asDelta:
        return numberOf(before) + reader.delta();
      case asFloat:
        return reader.float();
      case asTime:
        return new Date((timeOf(before) ?? 0) + reader.delta()).toISOString();
      default:
        return this.#words[reader.count()];
    }
  }

  #wordOf(value: Leaf): number {
    const known = this.#words.findIndex((word) => Object.is(word, value));
    return known === -1 ? this.#words.push(value) - 1 : known;
  }
}

/** What a difference counts from: the number before, where it is whole. */
function numberOf(leaf: Leaf): number {
  return typeof leaf === 'number' && Number.isSafeInteger(leaf) ? leaf : 0;
}

/** The windows of one tick all end at the same moment: a time that was understood lately is not looked at again. */
const times = new Map<string, number | undefined>();
const maxTimes = 16;

/** Milliseconds since 1970 of a time that is written just as `toISOString` writes it. */
function timeOf(leaf: Leaf): number | undefined {
  if (typeof leaf !== 'string' || leaf.length !== 24 || !leaf.endsWith('Z')) return undefined;
  if (times.has(leaf)) return times.get(leaf);
  const parsedMs = Date.parse(leaf);
  const timeMs = !Number.isNaN(parsedMs) && new Date(parsedMs).toISOString() === leaf ? parsedMs : undefined;
  if (times.size >= maxTimes) times.clear();
  times.set(leaf, timeMs);
  return timeMs;
}
