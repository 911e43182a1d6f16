/** A small kernel file (cgroup, /proc) that is read again and again: kept open, and parsed only when its text has changed. */
import { closeSync, openSync, readSync } from 'node:fs';
import type { DescriptorBudget } from './descriptor-budget.ts';
import { errorCode } from './text-file.ts';

// One buffer for all: reads are synchronous, so never two at once. Larger than any file of a cgroup (memory.stat has 2 KB).
const buffer = Buffer.allocUnsafe(64 * 1024);

/**
 * `pread` at offset 0 of a descriptor kept open costs 1 to 2 µs, open + read + close 8 µs; the kernel writes its text anew for each.
 * Beyond the budget of descriptors the file is opened for each read. Parsing is skipped while the text stands still.
 */
export class KeptFile<T> {
  readonly name: string;
  readonly #path: string | null;
  readonly #parse: (text: string) => T | undefined;
  readonly #budget: DescriptorBudget;
  #fd: number | null = null;
  #text: string | null = null;
  #value: T | null = null;
  #problem: string | null = null;
  #wasRead = false;

  /** @param path null where the hierarchy that holds such files is not there */
  constructor(
    name: string,
    path: string | null,
    { parse, budget }: { readonly parse: (text: string) => T | undefined; readonly budget: DescriptorBudget },
  ) {
    this.name = name;
    this.#path = path;
    this.#parse = parse;
    this.#budget = budget;
    if (path === null) this.#problem = 'no such hierarchy';
  }

  /** What the last read gave; null before the first, and when it failed. The same object while the file's text is the same. */
  get value(): T | null {
    return this.#value;
  }

  /** Why there is no value: the system's code, or a few words. Null when all is well. */
  get problem(): string | null {
    return this.#problem;
  }

  /** It could be read once and cannot now: what it belongs to may have gone. */
  get lost(): boolean {
    return this.#wasRead && this.#problem !== null;
  }

  /**
   * Reads the file anew. One that could not be opened is tried again only when `retry` says so: a failing open is the dearest of all, and
   * what this kernel does not have does not come.
   */
  read(retry = true): T | null {
    if (this.#path === null || (!retry && this.#fd === null && this.#problem !== null)) return this.#value;
    let fd = this.#fd;
    let borrowed = false;
    try {
      if (fd === null) {
        fd = openSync(this.#path, 'r');
        borrowed = !this.#budget.take();
        if (!borrowed) this.#fd = fd;
      }
      this.#take(buffer.toString('latin1', 0, readSync(fd, buffer, 0, buffer.length, 0)));
    } catch (error) {
      this.close();
      this.#fail(errorCode(error));
    } finally {
      if (borrowed && fd !== null) closeSync(fd);
    }
    return this.#value;
  }

  /** Gives the descriptor back; a later read opens the file again. */
  close(): void {
    if (this.#fd === null) return;
    closeSync(this.#fd);
    this.#fd = null;
    this.#budget.giveBack();
  }

  #take(text: string): void {
    if (text === this.#text) return;
    const value = this.#parse(text);
    if (value === undefined) {
      this.#fail('not understood');
      return;
    }
    this.#text = text;
    this.#value = value;
    this.#problem = null;
    this.#wasRead = true;
  }

  #fail(problem: string): void {
    this.#text = null;
    this.#value = null;
    this.#problem = problem;
  }
}
