/** The latest GC events of one target, bounded: a bundle shows single pauses and cycles, not only seconds. */
import type { PauseEvent } from '../../host/probe/index.ts';
import { type SignalWindow, WindowRing } from '../../model/index.ts';
import type { SeenCycle } from '../sampler/index.ts';

const maxCycles = 512;
const maxPauses = 2048;

export class Recorder {
  /** Ten minutes. */
  readonly windows = new WindowRing();
  readonly #cycles: SeenCycle[] = [];
  readonly #pauses: PauseEvent[] = [];

  window(window: SignalWindow): void {
    this.windows.push(window);
  }

  cycle(cycle: SeenCycle): void {
    keep(this.#cycles, cycle, maxCycles);
  }

  pause(pause: PauseEvent): void {
    keep(this.#pauses, pause, maxPauses);
  }

  get cycles(): readonly SeenCycle[] {
    return this.#cycles;
  }

  get pauses(): readonly PauseEvent[] {
    return this.#pauses;
  }
}

function keep<T>(list: T[], item: T, max: number): void {
  list.push(item);
  // Dropping in blocks keeps the cost of an event constant.
  if (list.length > max * 1.25) list.splice(0, list.length - max);
}
