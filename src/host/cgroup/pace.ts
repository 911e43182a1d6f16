/** Which reads of a cgroup are full ones: the first, every fifth, and those that are asked for. */
import type { ReadPace } from '../types.ts';

const fullEvery = 5;
let readers = 0;

export class Pace {
  /** Readers take turns, so that the full reads of many cgroups do not all fall into one tick. */
  #turn = readers++ % fullEvery;
  #isFirst = true;

  isFull(pace: ReadPace): boolean {
    this.#turn = (this.#turn + 1) % fullEvery;
    const full = pace === 'all' || this.#isFirst || this.#turn === 0;
    this.#isFirst = false;
    return full;
  }
}
