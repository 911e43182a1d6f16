/**
 * The latest windows of every container under an open incident, as the agents report them.
 * Kept in memory alone: a new leader waits for fresh windows, which verification wants anyway.
 */
import type { SignalWindow } from '../model/window.ts';

const KEEP_MS = 10 * 60_000;
const MAX_CONTAINERS = 2000;

export class SignalStore {
  readonly #windows = new Map<string, SignalWindow[]>();

  /** Adds one window; duplicates (an agent repeats itself after a change of leader) are dropped by sequence. */
  add(window: SignalWindow): void {
    const key = keyOf(window.pod.uid, window.container);
    const known = this.#windows.get(key) ?? [];
    const last = known.at(-1);
    const sameLife = last?.containerId === window.containerId;
    if (last && sameLife && window.seq <= last.seq && window.endedAt <= last.endedAt) return;
    known.push(window);
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

  latest(podUid: string, container: string): SignalWindow | undefined {
    return this.#windows.get(keyOf(podUid, container))?.at(-1);
  }

  get containers(): number {
    return this.#windows.size;
  }

  /** A Map remembers the order of its last writes: its first key is the container silent for longest. */
  #forgetQuietest(): void {
    const [quietest] = this.#windows.keys();
    if (quietest !== undefined) this.#windows.delete(quietest);
  }
}

function keyOf(podUid: string, container: string): string {
  return `${podUid}/${container}`;
}
