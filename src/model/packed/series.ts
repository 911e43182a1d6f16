/**
 * The latest of a series of like objects, packed: ten minutes of a container's windows take some 50 KB instead of 2 MB, so that a node's
 * 250 containers fit. Plain data only, as JSON knows it. Pure.
 */
import { Block } from './block.ts';
import { sharedForm } from './forms.ts';
import { hasForm } from './leaves.ts';

/** Objects of a block: the oldest block goes as one. */
const blockLength = 60;

export class PackedSeries<T extends object> {
  readonly #capacity: number;
  readonly #blocks: Block[] = [];
  /** In all blocks: from `capacity` up to a block's length more, once there were so many. */
  #length = 0;

  /** @param capacity how many are kept */
  constructor(capacity: number) {
    if (!Number.isInteger(capacity) || capacity < 1)
      throw new RangeError(`capacity ${capacity}: must be a positive integer`);
    this.#capacity = capacity;
  }

  get size(): number {
    return Math.min(this.#length, this.#capacity);
  }

  /** @param item never written to afterwards, nor anything in it */
  push(item: T): void {
    const open = this.#blocks.at(-1);
    if (!open || open.length >= blockLength || !open.push(item)) this.#open(item);
    this.#length += 1;
    for (let first = this.#blocks[0]; first && this.#length - first.length >= this.#capacity; first = this.#blocks[0]) {
      this.#length -= first.length;
      this.#blocks.shift();
    }
  }

  /** The newest `count`, oldest first; unpacked anew at each call. */
  latest(count: number): T[] {
    let from = this.#blocks.length;
    let held = 0;
    while (from > 0 && held < count) held += this.#blocks[--from]?.length ?? 0;
    const items: T[] = [];
    let skipped = held - Math.min(count, this.size);
    for (const block of this.#blocks.slice(from)) {
      // A block gives back what it was given, and `push` gives it nothing else.
      for (const item of block.objects(skipped)) items.push(item as T);
      skipped = 0;
    }
    return items;
  }

  all(): T[] {
    return this.latest(this.size);
  }

  #open(item: T): void {
    const before = this.#blocks.at(-1);
    before?.close();
    const block = new Block(before && hasForm(before.form, item) ? before.form : sharedForm(item));
    block.push(item);
    this.#blocks.push(block);
  }
}
