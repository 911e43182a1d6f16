/** Windows on their way to the operator: which are sent next, which are dropped. Pure. */
import type { SignalWindow } from '../../model/index.ts';

/** Ten containers' worth of ten minutes. */
const defaultCapacity = 6_000;
/** A request stays well below what the operator takes. */
export const maxBatch = 2_000;

export class Backlog {
  readonly #capacity: number;
  #windows: SignalWindow[] = [];
  #dropped = 0;

  constructor(capacity = defaultCapacity) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#windows.length;
  }

  /** Windows that were given up for newer ones. */
  get dropped(): number {
    return this.#dropped;
  }

  add(windows: readonly SignalWindow[]): void {
    this.#windows.push(...windows);
    const excess = this.#windows.length - this.#capacity;
    if (excess <= 0) return;
    this.#windows.splice(0, excess);
    this.#dropped += excess;
  }

  /** The next to be sent, oldest first; they stay until `sent` says that they have arrived. */
  batch(most = maxBatch): readonly SignalWindow[] {
    return this.#windows.slice(0, most);
  }

  /** These have arrived; some may have been dropped meanwhile. */
  sent(batch: readonly SignalWindow[]): void {
    const arrived = new Set(batch);
    this.#windows = this.#windows.filter((window) => !arrived.has(window));
  }

  /** A new leader knows nothing: what it is told instead of what was waiting. */
  replace(windows: readonly SignalWindow[]): void {
    this.#windows = [];
    this.add(windows);
  }
}
