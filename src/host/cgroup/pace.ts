/** How much of a cgroup a read takes: the more, the more seldom. Everything at the first read, and when that is asked for. */
import type { ReadPace } from '../types.ts';

/** `full` includes what moves slowly; `whole` is every file. */
export type Extent = 'tick' | 'full' | 'whole';

const fullEvery = 5;
const wholeEvery = 15;
let readers = 0;

export class Pace {
  /** Readers take turns, so that the full reads of many cgroups do not all fall into one tick. */
  #turn = readers++ % wholeEvery;
  #isFirst = true;

  next(pace: ReadPace): Extent {
    this.#turn = (this.#turn + 1) % wholeEvery;
    const isWhole = pace === 'all' || this.#isFirst || this.#turn === 0;
    this.#isFirst = false;
    if (isWhole) return 'whole';
    return this.#turn % fullEvery === 0 ? 'full' : 'tick';
  }
}
