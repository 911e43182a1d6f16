/** The latest windows of one container: ten minutes by default, bounded by count whatever the clock does. */
import type { SignalWindow } from './window.ts';

export const RING_CAPACITY = 600;

export class WindowRing {
  readonly #capacity: number;
  readonly #windows: SignalWindow[] = [];

  /** @param capacity windows kept; one a second makes 600 ten minutes */
  constructor(capacity = RING_CAPACITY) {
    if (!Number.isInteger(capacity) || capacity < 1)
      throw new RangeError(`ring capacity ${capacity}: must be a positive integer`);
    this.#capacity = capacity;
  }

  push(window: SignalWindow): void {
    this.#windows.push(window);
    if (this.#windows.length > this.#capacity) this.#windows.shift();
  }

  get size(): number {
    return this.#windows.length;
  }

  /** The newest `count` windows, oldest first. */
  latest(count: number): SignalWindow[] {
    return count <= 0 ? [] : this.#windows.slice(-count);
  }

  newest(): SignalWindow | undefined {
    return this.#windows.at(-1);
  }

  /** All that are kept, oldest first; a copy. */
  all(): SignalWindow[] {
    return [...this.#windows];
  }

  /** Windows that ended after `epochMs`, oldest first. */
  since(epochMs: number): SignalWindow[] {
    return this.#windows.filter((window) => Date.parse(window.endedAt) > epochMs);
  }
}
