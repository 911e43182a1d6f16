/** Keeps a pressure watch in line with what the sampler follows. */
import type { CgroupReader, OnPressure, PressureWatch } from '../../host/index.ts';
import type { PressureOnset, PressureTotals } from '../../model/pressure-onset.ts';
import { type ReadTotals, TriggeredPressure, type TriggerProbe } from './triggered-pressure.ts';
import type { Target } from './types.ts';

export interface EarlyPressureOptions {
  /** Reads the pressure of what no trigger watches. */
  readonly start: (onPressure: OnPressure) => PressureWatch;
  readonly tell: (target: Target, onset: PressureOnset) => void;
  readonly readTotals: ReadTotals;
}

export class EarlyPressure {
  readonly #watch: TriggeredPressure;
  /** By key, as they are watched; the directory tells one cgroup from another. */
  readonly #targets = new Map<string, { readonly target: Target; readonly directory: string }>();

  constructor({ start, tell, readTotals }: EarlyPressureOptions) {
    const onPressure: OnPressure = (key, onset) => {
      const watched = this.#targets.get(key);
      if (watched) tell(watched.target, onset);
    };
    this.#watch = new TriggeredPressure(start(onPressure), onPressure, readTotals);
  }

  /** The probe that sets the kernel's triggers, where it grants any. */
  useProbe(probe: TriggerProbe | null): void {
    this.#watch.useProbe(probe);
  }

  /**
   * @param cgroup null while the target is not observed: then its pressure is nobody's concern
   * @param totals as its window's end found them
   */
  follow(target: Target, cgroup: CgroupReader | null, totals: PressureTotals | null): void {
    const directory = cgroup?.pressureDirectory ?? null;
    if (directory === null || !target.pressureLimits) {
      this.forget(target.key);
      return;
    }
    const known = this.#targets.get(target.key);
    if (known?.target !== target || known.directory !== directory) {
      this.#targets.set(target.key, { target, directory });
      this.#watch.watch(target.key, { directory, limits: target.pressureLimits });
    }
    if (totals) this.#watch.heed(target.key, totals);
  }

  forget(key: string): void {
    if (this.#targets.delete(key)) this.#watch.forget(key);
  }

  close(): void {
    this.#targets.clear();
    this.#watch.close();
  }
}
