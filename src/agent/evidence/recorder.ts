/** The latest GC events of one target, bounded: a bundle shows single pauses and cycles, not only seconds. */
import type { AssistEvent } from '../../host/probe/index.ts';
import { PackedSeries, type SignalWindow, WindowRing } from '../../model/index.ts';
import type { SeenCycle, SeenPause } from '../sampler/index.ts';

const maxCycles = 512;
const maxPauses = 2048;
/** Of 1 ms and longer: of a program in trouble some hundreds a second. */
const maxAssists = 2048;

export class Recorder {
  /** Ten minutes. */
  readonly windows = new WindowRing();
  readonly #cycles = new PackedSeries<SeenCycle>(maxCycles);
  readonly #pauses = new PackedSeries<SeenPause>(maxPauses);
  readonly #assists = new PackedSeries<AssistEvent>(maxAssists);

  window(window: SignalWindow): void {
    this.windows.push(window);
  }

  cycle(cycle: SeenCycle): void {
    this.#cycles.push(cycle);
  }

  pause(pause: SeenPause): void {
    this.#pauses.push(pause);
  }

  assist(assist: AssistEvent): void {
    this.#assists.push(assist);
  }

  /** Unpacked anew at each call. */
  get cycles(): readonly SeenCycle[] {
    return this.#cycles.all();
  }

  get pauses(): readonly SeenPause[] {
    return this.#pauses.all();
  }

  get assists(): readonly AssistEvent[] {
    return this.#assists.all();
  }
}
