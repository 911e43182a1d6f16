/**
 * Memory pressure as the kernel's own triggers tell it, where they are granted: at most 140 ms late, and nothing is read meanwhile. Everywhere
 * else, and until a trigger is set, the cgroup is read. Without CAP_SYS_RESOURCE a trigger is looked at every 2 s only, too late to be of use.
 */
import type { OnPressure, PressureSubject, PressureWatch } from '../../host/index.ts';
import { type ProbeClient, ProbeError, type TriggerEvent } from '../../host/probe/index.ts';
import { type PressureTotals, TRAILING_WINDOW_NS } from '../../model/pressure-onset.ts';
import { type ArmedTrigger, armedTriggers, requestOf, sameSubject, TrailingShares } from './armed-trigger.ts';

export type TriggerProbe = Pick<ProbeClient, 'setTrigger' | 'clearTrigger' | 'listenToTriggers'>;

/** Totals of the memory.pressure in a directory at this moment; null when there is none any more. */
export type ReadTotals = (directory: string) => PressureTotals | null;

interface Watched {
  readonly subject: PressureSubject;
  readonly shares: TrailingShares;
  /** Of its triggers, once all are set: until then it is read. */
  ids: readonly string[];
}

export class TriggeredPressure implements PressureWatch {
  readonly #reading: PressureWatch;
  readonly #onPressure: OnPressure;
  readonly #readTotals: ReadTotals;
  readonly #watched = new Map<string, Watched>();
  readonly #armed = new Map<string, ArmedTrigger>();
  #probe: TriggerProbe | null = null;
  /** The kernel grants this probe nothing: no cgroup is asked for any more, but what is set goes on. */
  #isRefused = false;
  #nextId = 1;

  /** @param reading watches what no trigger watches; tells the same `onPressure` */
  constructor(reading: PressureWatch, onPressure: OnPressure, readTotals: ReadTotals) {
    this.#reading = reading;
    this.#onPressure = onPressure;
    this.#readTotals = readTotals;
  }

  /** A new probe has no triggers; without one everything is read. */
  useProbe(probe: TriggerProbe | null): void {
    this.#armed.clear();
    this.#probe = probe;
    this.#isRefused = false;
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
    if (known) this.#clear(this.#probe, known.ids);
    const watched: Watched = { subject, shares: new TrailingShares(), ids: [] };
    this.#watched.set(key, watched);
    this.#reading.watch(key, subject);
    void this.#arm(key, watched);
  }

  /** Totals that were read for another purpose: what a trigger tells is held against them, where there are any. */
  heed(key: string, totals: PressureTotals): void {
    const watched = this.#watched.get(key);
    if (watched && (!this.#isRefused || watched.ids.length > 0)) watched.shares.heed(totals);
  }

  forget(key: string): void {
    const known = this.#watched.get(key);
    if (!known) return;
    this.#watched.delete(key);
    this.#clear(this.#probe, known.ids);
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
    if (!probe || this.#isRefused) return;
    const { directory, limits } = watched.subject;
    const ids: string[] = [];
    // Between two answers the probe may have ended, or the limits have changed: then what was set is of no use any more.
    const isCurrent = (): boolean => this.#probe === probe && this.#watched.get(key) === watched;
    try {
      for (const trigger of armedTriggers(key, limits)) {
        const id = `psi${this.#nextId++}`;
        ids.push(id);
        this.#armed.set(id, trigger);
        await probe.setTrigger(requestOf(trigger, id, directory));
        if (!isCurrent()) return this.#clear(probe, ids);
      }
    } catch (error) {
      if (this.#probe === probe && isRefusalOfAll(error)) this.#isRefused = true;
      return this.#clear(probe, ids);
    }
    watched.ids = ids;
    this.#reading.forget(key);
  }

  /** Fails where the group has ended, or the probe: the trigger has then gone too. */
  #clear(probe: TriggerProbe | null, ids: readonly string[]): void {
    for (const id of ids) {
      this.#armed.delete(id);
      void probe?.clearTrigger(id).catch(() => {});
    }
  }

  #onTrigger(event: TriggerEvent): void {
    const armed = this.#armed.get(event.id);
    if (!armed) return;
    if (event.type === 'pressureGone') {
      this.#armed.delete(event.id);
      return;
    }
    const watched = this.#watched.get(armed.key);
    const goesOn = armed.lastNs !== null && event.atNs - armed.lastNs < 2 * TRAILING_WINDOW_NS;
    armed.lastNs = event.atNs;
    if (goesOn || !watched) return;
    const { key, signal, limit } = armed;
    const totals = this.#readTotals(watched.subject.directory);
    const share = Math.max(limit, totals ? watched.shares.heed(totals)[signal] : 0);
    this.#onPressure(key, {
      signal,
      share,
      limit,
      windowNs: TRAILING_WINDOW_NS,
      atNs: event.atNs,
      toldBy: 'trigger',
    });
  }
}

/** Not granted for want of a privilege, which no other cgroup would change; whatever else fails concerns the one cgroup. */
function isRefusalOfAll(error: unknown): boolean {
  return error instanceof ProbeError && (error.code === 'TRIGGER_REFUSED' || error.code === 'NO_PERMISSION');
}
