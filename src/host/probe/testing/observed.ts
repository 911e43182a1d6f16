/** What the probe saw of a process between two moments, kept while it lasts: flushes put together. */
import type {
  AssistEvent,
  CountsEvent,
  CycleEvent,
  Flush,
  HistogramEvent,
  PauseEvent,
  ProbeClient,
  WaitEvent,
} from '../index.ts';

export interface Seen {
  readonly pauses: PauseEvent[];
  readonly cycles: CycleEvent[];
  readonly assists: AssistEvent[];
  readonly histograms: HistogramEvent[];
  readonly counts: CountsEvent[];
  readonly waits: WaitEvent[];
}

/** Collects what one probe reports of any number of processes. */
export class Observer {
  lost = 0;
  readonly #probe: ProbeClient;
  readonly #seen = new Map<number, Seen>();

  constructor(probe: ProbeClient) {
    this.#probe = probe;
  }

  /** Takes what has come; @returns until when that is complete */
  async take(): Promise<Flush> {
    const flush = await this.#probe.flush();
    this.lost += flush.lost;
    for (const event of flush.pauses) this.of(event.pid).pauses.push(event);
    for (const event of flush.cycles) this.of(event.pid).cycles.push(event);
    for (const event of flush.assists) this.of(event.pid).assists.push(event);
    for (const event of flush.counts) this.of(event.pid).counts.push(event);
    for (const event of flush.histograms) this.of(event.pid).histograms.push(event);
    for (const event of flush.waits) this.of(event.pid).waits.push(event);
    return flush;
  }

  of(pid: number): Seen {
    const known = this.#seen.get(pid);
    if (known) return known;
    const seen: Seen = { pauses: [], cycles: [], assists: [], histograms: [], counts: [], waits: [] };
    this.#seen.set(pid, seen);
    return seen;
  }

  forget(pid: number): void {
    this.#seen.delete(pid);
  }
}
