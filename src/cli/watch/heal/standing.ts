/** What continuous tuning has set and what each setting goes back to. Pure. */
import type { LiveKnob, Setting } from '../../../api/index.ts';

export interface Stands {
  readonly knob: LiveKnob;
  /** What it goes back to. */
  readonly own: Setting;
  readonly ours: Setting;
}

export class Standing {
  readonly #stands = new Map<LiveKnob, Stands>();

  /** @param from in effect until now: the program's own, unless it is what we set before */
  set(knob: LiveKnob, from: Setting, ours: Setting): void {
    const known = this.#stands.get(knob);
    const own = known && known.ours === from ? known.own : from;
    if (own === ours) this.#stands.delete(knob);
    else this.#stands.set(knob, { knob, own, ours });
  }

  /** A remedy has proved the setting by now: it is to stay. */
  keep(knob: LiveKnob): void {
    this.#stands.delete(knob);
  }

  all(): readonly Stands[] {
    return [...this.#stands.values()];
  }
}
