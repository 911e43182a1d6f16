/** The latest windows of one container: ten minutes by default, bounded by count whatever the clock does. */
import { PackedSeries } from './packed/series.ts';
import type { SignalWindow } from './window.ts';

export const RING_CAPACITY = 600;
/** That are looked at for those since a moment. */
const fewest = 4;

export class WindowRing {
  readonly #capacity: number;
  readonly #packed: PackedSeries<SignalWindow>;
  /** The newest ones as they came: as many as are asked for again and again. */
  readonly #newest: SignalWindow[] = [];
  #kept = 1;
  #pushedSinceAsked = 0;

  /** @param capacity windows kept; one a second makes 600 ten minutes */
  constructor(capacity = RING_CAPACITY) {
    if (!Number.isInteger(capacity) || capacity < 1)
      throw new RangeError(`ring capacity ${capacity}: must be a positive integer`);
    this.#capacity = capacity;
    this.#packed = new PackedSeries(capacity);
  }

  push(window: SignalWindow): void {
    this.#packed.push(window);
    this.#newest.push(window);
    this.#pushedSinceAsked += 1;
    if (this.#pushedSinceAsked > this.#kept) this.#kept = 1;
    while (this.#newest.length > this.#kept) this.#newest.shift();
  }

  get size(): number {
    return this.#packed.size;
  }

  /** The newest `count` windows, oldest first. What is asked for each second is not unpacked each time. */
  latest(count: number): SignalWindow[] {
    const wanted = Math.min(Math.max(0, count), this.#capacity);
    if (wanted === 0) return [];
    this.#pushedSinceAsked = 0;
    if (wanted > this.#kept) {
      this.#kept = wanted;
      this.#newest.splice(0, this.#newest.length, ...this.#packed.latest(wanted));
    }
    return this.#newest.slice(-wanted);
  }

  newest(): SignalWindow | undefined {
    return this.#newest.at(-1);
  }

  /** All that are kept, oldest first; a copy. */
  all(): SignalWindow[] {
    return this.#packed.all();
  }

  /** Windows that ended after `epochMs`, oldest first. */
  since(epochMs: number): SignalWindow[] {
    const isLater = (window: SignalWindow): boolean => Date.parse(window.endedAt) > epochMs;
    // Asked each second for what is new since the last time, so that all that is kept is hardly ever unpacked.
    for (let count = fewest; ; count *= 4) {
      const latest = this.latest(count);
      const [first] = latest;
      if (latest.length < count || !first || !isLater(first)) return latest.filter(isLater);
    }
  }
}
