/** All that a watch does to its process: the answer to a breach, and the formula without one. Never both at the same time. */
import type { Breach } from '../../../model/index.ts';
import { Deeds } from './deeds.ts';
import { Healer, type HealerOptions } from './healer.ts';
import { Tuner } from './tuner.ts';

export type ActingOptions = Omit<HealerOptions, 'deeds' | 'tuner'>;

/** Robots come and go within minutes. */
const tuneEveryWindows = 5;

export class Acting {
  readonly #healer: Healer;
  readonly #tuner: Tuner | null;
  #windows = 0;

  constructor(options: ActingOptions) {
    const { process, policy } = options;
    const deeds = new Deeds(process, policy.spec);
    this.#tuner = policy.spec.tuning.continuous
      ? new Tuner({ ...options, deeds, isBusy: () => this.#healer.isBusy })
      : null;
    this.#healer = new Healer({ ...options, deeds, tuner: this.#tuner });
  }

  breach(breach: Breach): void {
    this.#healer.breach(breach);
  }

  window(): void {
    this.#windows += 1;
    if (this.#windows % tuneEveryWindows === 0) this.#tuner?.look();
  }

  /** After an abort: resolves soon, once what is not to outlive the watch has been put back. Rejects only on a defect. */
  async end(): Promise<void> {
    await this.#healer.settled();
    await this.#tuner?.end();
  }
}
