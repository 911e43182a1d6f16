/** The latest GC events of one target, bounded: a bundle shows single pauses and cycles, not only seconds. */
import { PackedSeries, type SignalWindow, WindowRing } from '../../model/index.ts';
import type { SeenCycle, SeenPause } from '../sampler/index.ts';

const maxCycles = 512;
const maxPauses = 2048;

export class Recorder {
  /** Ten minutes. */
  readonly windows = new WindowRing();
  readonly #cycles = new PackedSeries<SeenCycle>(maxCycles);
  readonly #pauses = new PackedSeries<SeenPause>(maxPauses);

  window(window: SignalWindow): void {
    this.windows.push(window);
  }

  cycle(cycle: SeenCycle): void {
    this.#cycles.push(cycle);
  }

  pause(pause: SeenPause): void {
    this.#pauses.push(pause);
  }

  /** Unpacked anew at each call. */
  get cycles(): readonly SeenCycle[] {
    return this.#cycles.all();
  }

  get pauses(): readonly SeenPause[] {
    return this.#pauses.all();
  }
}
