/** The latest GC events of one target, bounded: a bundle shows single pauses and cycles, not only seconds. */
import type { AssistEvent, WaitEvent } from '../../host/probe/index.ts';
import { HeapHistory, PackedSeries, type SignalWindow, WindowRing } from '../../model/index.ts';
import type { PressureOnset } from '../../model/pressure-onset.ts';
import type { SeenCycle, SeenPause } from '../sampler/index.ts';

const maxCycles = 512;
const maxPauses = 2048;
/** Of 1 ms and longer: of a program in trouble some hundreds a second. */
const maxAssists = 2048;
/** Of reads as many again, so that those of a capture do not drive out what was slow before it. */
const maxWaits = 1024;
/** What the probe tells of the network is no shorter; of memory some hundreds may be, each second. Reads are told from 1 ms on, and mean little so short. */
const shortestWaitNs = 10_000_000;

/** `peer` is null where it is not known. */
export type RecordedWait = Omit<WaitEvent, 'peer'> & { readonly peer: string | null };
/** One for each stretch above a limit. */
const maxOnsets = 256;

export interface SeenOnset extends PressureOnset {
  /** Wall clock, ISO 8601. */
  readonly detectedAt: string;
}

export class Recorder {
  /** Ten minutes. */
  readonly windows = new WindowRing();
  /** Hours. */
  readonly heap: HeapHistory;
  readonly #cycles = new PackedSeries<SeenCycle>(maxCycles);
  readonly #pauses = new PackedSeries<SeenPause>(maxPauses);
  readonly #assists = new PackedSeries<AssistEvent>(maxAssists);
  readonly #waits = new PackedSeries<RecordedWait>(maxWaits);
  readonly #reads = new PackedSeries<RecordedWait>(maxWaits);
  readonly #onsets = new PackedSeries<SeenOnset>(maxOnsets);

  constructor(heap = new HeapHistory()) {
    this.heap = heap;
  }

  window(window: SignalWindow): void {
    this.windows.push(window);
    this.heap.observe(window);
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

  wait(wait: WaitEvent): void {
    if (wait.durationNs < shortestWaitNs && !wait.failed) return;
    const series = wait.on === 'read' ? this.#reads : this.#waits;
    series.push({ ...wait, peer: wait.peer ?? null });
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

  /** In the order in which they began. */
  get waits(): readonly RecordedWait[] {
    return [...this.#waits.all(), ...this.#reads.all()].sort((a, b) => a.startNs - b.startNs);
  }
}
