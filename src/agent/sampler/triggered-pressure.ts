/**
 * Memory pressure as the kernel's own triggers tell it, where they are granted: at most 100 ms late, and nothing is read meanwhile. Everywhere
 * else, and until a trigger is set, the cgroup is read. Without CAP_SYS_RESOURCE a trigger is looked at every 2 s only, too late to be of use.
 */
import type { OnPressure, PressureSubject, PressureWatch } from '../../host/index.ts';
import { type ProbeClient, ProbeError, type TriggerEvent } from '../../host/probe/index.ts';
import { type PressureLimits, type PressureOnset, TRAILING_WINDOW_NS } from '../../model/pressure-onset.ts';

export type TriggerProbe = Pick<ProbeClient, 'setTrigger' | 'clearTrigger' | 'listenToTriggers'>;

interface Armed {
  readonly key: string;
  readonly signal: PressureOnset['signal'];
  readonly limit: number;
  /** When it last told; the kernel tells once in each window for as long as the pressure lasts. */
  lastNs: number | null;
}

interface Watched {
  readonly subject: PressureSubject;
  ids: readonly string[];
}

const lines = [
  { line: 'some', signal: 'memoryPressureSome' },
  { line: 'full', signal: 'memoryPressureFull' },
] as const;

export class TriggeredPressure implements PressureWatch {
  readonly #reading: PressureWatch;
  readonly #onPressure: OnPressure;
  readonly #watched = new Map<string, Watched>();
  readonly #armed = new Map<string, Armed>();
  #probe: TriggerProbe | null = null;
  #nextId = 1;

  /** @param reading watches what no trigger watches; tells the same `onPressure` */
  constructor(reading: PressureWatch, onPressure: OnPressure) {
    this.#reading = reading;
    this.#onPressure = onPressure;
  }

  /** A new probe has no triggers; without one everything is read. */
  useProbe(probe: TriggerProbe | null): void {
    this.#armed.clear();
    this.#probe = probe;
    probe?.listenToTriggers((event) => this.#onTrigger(event));
    for (const [key, watched] of this.#watched) {
      watched.ids = [];
      this.#reading.watch(key, watched.subject);
      void this.#arm(key, watched);
    }
  }

  watch(key: string, subject: PressureSubject): void {
    const known = this.#watched.get(key);
    if (known && sameSubject(known.subject, subject)) return;
    if (known) this.#disarm(known);
    const watched: Watched = { subject, ids: [] };
    this.#watched.set(key, watched);
    this.#reading.watch(key, subject);
    void this.#arm(key, watched);
  }

  forget(key: string): void {
    const known = this.#watched.get(key);
    if (!known) return;
    this.#watched.delete(key);
    this.#disarm(known);
    this.#reading.forget(key);
  }

  close(): void {
    for (const key of [...this.#watched.keys()]) this.forget(key);
    this.#reading.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #arm(key: string, watched: Watched): Promise<void> {
    const probe = this.#probe;
    if (!probe) return;
    const { directory, limits } = watched.subject;
    const set: string[] = [];
    try {
      for (const { line, signal } of lines) {
        const id = `psi${this.#nextId++}`;
        const limit = limits[signal];
        this.#armed.set(id, { key, signal, limit, lastNs: null });
        await probe.setTrigger({ id, file: `${directory}/memory.pressure`, line, ...spanOf(limit) });
        set.push(id);
      }
    } catch (error) {
      // Nothing here will ever be granted: no cgroup is asked for again.
      if (isRefusal(error) && this.#probe === probe) this.#probe = null;
      return this.#clear(probe, set);
    }
    if (this.#watched.get(key) !== watched) return this.#clear(probe, set);
    watched.ids = set;
    this.#reading.forget(key);
  }

  #disarm({ ids }: Watched): void {
    if (this.#probe) this.#clear(this.#probe, ids);
  }

  /** Fails where the group has ended, or the probe: the trigger has then gone too. */
  #clear(probe: TriggerProbe, ids: readonly string[]): void {
    for (const id of ids) {
      this.#armed.delete(id);
      void probe.clearTrigger(id).catch(() => {});
    }
  }

  #onTrigger(event: TriggerEvent): void {
    const armed = this.#armed.get(event.id);
    if (!armed) return;
    if (event.type === 'pressureGone') {
      this.#armed.delete(event.id);
      return;
    }
    const { key, signal, limit, lastNs } = armed;
    armed.lastNs = event.atNs;
    const goesOn = lastNs !== null && event.atNs - lastNs < 2 * TRAILING_WINDOW_NS;
    if (!goesOn) this.#onPressure(key, { signal, share: limit, limit, windowNs: TRAILING_WINDOW_NS, atNs: event.atNs });
  }
}

/** A share of the trailing second, as the kernel wants it. */
function spanOf(limit: number): { stallUs: number; windowUs: number } {
  const windowUs = TRAILING_WINDOW_NS / 1000;
  return { windowUs, stallUs: Math.min(windowUs, Math.max(1, Math.round(limit * windowUs))) };
}

function isRefusal(error: unknown): boolean {
  return error instanceof ProbeError && (error.code === 'TRIGGER_REFUSED' || error.code === 'NO_PERMISSION');
}

function sameSubject(one: PressureSubject, other: PressureSubject): boolean {
  return one.directory === other.directory && sameLimits(one.limits, other.limits);
}

function sameLimits(one: PressureLimits, other: PressureLimits): boolean {
  return one.memoryPressureSome === other.memoryPressureSome && one.memoryPressureFull === other.memoryPressureFull;
}
