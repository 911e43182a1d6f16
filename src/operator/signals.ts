/**
 * The latest windows of every container under an open incident, as the agents report them.
 * Kept in memory alone: a new leader waits for fresh windows, which verification wants anyway. Of a day the peaks alone.
 */
import { SlidingPeak } from '../model/sliding-peak.ts';
import type { SignalWindow } from '../model/window.ts';

const KEEP_MS = 10 * 60_000;
const PEAKS_KEPT_MS = 24 * 60 * 60_000;
const MAX_CONTAINERS = 2000;

/** Of one container since a moment; undefined: nothing was seen of it. */
export interface Peaks {
  readonly heapLiveBytes: number | undefined;
  /** Of the working set. */
  readonly useBytes: number | undefined;
}

export class SignalStore {
  readonly #windows = new Map<string, SignalWindow[]>();
  readonly #peaks = new Map<string, ContainerPeaks>();

  /** Adds one window; duplicates (an agent repeats itself after a change of leader) are dropped by sequence. */
  add(window: SignalWindow): void {
    const key = keyOf(window.pod.uid, window.container);
    const known = this.#windows.get(key) ?? [];
    const last = known.at(-1);
    const sameLife = last?.containerId === window.containerId;
    if (last && sameLife && window.seq <= last.seq && window.endedAt <= last.endedAt) return;
    known.push(window);
    const peaks = this.#peaks.get(key) ?? new ContainerPeaks();
    peaks.add(window);
    this.#peaks.set(key, peaks);
    const oldest = Date.parse(window.endedAt) - KEEP_MS;
    while (known[0] && Date.parse(known[0].endedAt) < oldest) known.shift();
    this.#windows.delete(key);
    this.#windows.set(key, known);
    if (this.#windows.size > MAX_CONTAINERS) this.#forgetQuietest();
  }

  /** Windows of one container that ended within (fromMs, toMs], oldest first. */
  between(podUid: string, container: string, fromMs: number, toMs: number): SignalWindow[] {
    const known = this.#windows.get(keyOf(podUid, container)) ?? [];
    return known.filter((w) => {
      const at = Date.parse(w.endedAt);
      return at > fromMs && at <= toMs;
    });
  }

  /** Of the last day at most. */
  peaks(podUid: string, container: string, fromMs: number): Peaks {
    return this.#peaks.get(keyOf(podUid, container))?.since(fromMs) ?? NOTHING_SEEN;
  }

  latest(podUid: string, container: string): SignalWindow | undefined {
    return this.#windows.get(keyOf(podUid, container))?.at(-1);
  }

  get containers(): number {
    return this.#windows.size;
  }

  /** A Map remembers the order of its last writes: its first key is the container silent for longest. */
  #forgetQuietest(): void {
    const [quietest] = this.#windows.keys();
    if (quietest === undefined) return;
    this.#windows.delete(quietest);
    this.#peaks.delete(quietest);
  }
}

const NOTHING_SEEN: Peaks = { heapLiveBytes: undefined, useBytes: undefined };

export class ContainerPeaks {
  readonly #heapLive = new SlidingPeak(PEAKS_KEPT_MS);
  readonly #use = new SlidingPeak(PEAKS_KEPT_MS);

  add({ endedAt, gc, cgroup }: SignalWindow): void {
    const atMs = Date.parse(endedAt);
    if (gc) this.#heapLive.push(atMs, gc.heapLiveBytes);
    if (cgroup) this.#use.push(atMs, cgroup.workingSetBytes ?? cgroup.memoryCurrentBytes);
  }

  since(fromMs: number): Peaks {
    return { heapLiveBytes: this.#heapLive.since(fromMs), useBytes: this.#use.since(fromMs) };
  }
}

function keyOf(podUid: string, container: string): string {
  return `${podUid}/${container}`;
}
