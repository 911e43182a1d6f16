/** The latest GC events of one target, bounded: a bundle shows single pauses and cycles, not only seconds. */
import type { AssistEvent } from '../../host/probe/index.ts';
import { PackedSeries, type SignalWindow, WindowRing } from '../../model/index.ts';
import type { PressureOnset } from '../../model/pressure-onset.ts';
import type { SeenCycle, SeenPause } from '../sampler/index.ts';

const maxCycles = 512;
const maxPauses = 2048;
/** Of 1 ms and longer: of a program in trouble some hundreds a second. */
const maxAssists = 2048;
/** One for each stretch above a limit. */
const maxOnsets = 256;

export interface SeenOnset extends PressureOnset {
  /** Wall clock, ISO 8601. */
  readonly detectedAt: string;
}

export class Recorder {
  /** Ten minutes. */
  readonly windows = new WindowRing();
  readonly #cycles = new PackedSeries<SeenCycle>(maxCycles);
  readonly #pauses = new PackedSeries<SeenPause>(maxPauses);
  readonly #assists = new PackedSeries<AssistEvent>(maxAssists);
  readonly #onsets = new PackedSeries<SeenOnset>(maxOnsets);

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

  pressure(onset: SeenOnset): void {
    this.#onsets.push(onset);
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

  get onsets(): readonly SeenOnset[] {
    return this.#onsets.all();
  }
}
