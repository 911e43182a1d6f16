/**
 * Continuous tuning of one process: GOGC where the formula asks for it at the number of robots, without any breach; with `holdHeap` GOMEMLIMIT
 * too. Looked at anew every few seconds, whatever was done before; put back when the watch ends, unless the policy says to keep it.
 */
import type { LiveKnob, Plan, Setting } from '../../../api/index.ts';
import type { GcSettings, GcWriter } from '../../../host/index.ts';
import type { SignalWindow } from '../../../model/index.ts';
import { isNews, planTuning, stretchBefore, tuningFacts } from '../../../remedy/index.ts';
import type { Deeds } from './deeds.ts';
import { changeTo, isToBeDone, type LivePlan, settingOf } from './knobs.ts';
import { LiveChange } from './live.ts';
import { localWays, type Means, orNothing, windowMs } from './means.ts';
import { Standing, type Stands } from './standing.ts';

export interface TunerOptions extends Means {
  readonly deeds: Deeds;
  /** A breach is being answered. */
  readonly isBusy: () => boolean;
}

/** The runtime itself collects every two minutes where nothing else makes it. */
const effectMs = 150_000;

export class Tuner {
  readonly #options: TunerOptions;
  readonly #standing = new Standing();
  #told: Plan | undefined;
  #changedAtMs = 0;
  #step: Promise<void> | null = null;

  constructor(options: TunerOptions) {
    this.#options = options;
  }

  /** Begins nothing while something is under way. */
  look(): void {
    const { isBusy, signal } = this.#options;
    if (this.#step || isBusy() || signal.aborted) return;
    this.#step = this.#look().finally(() => {
      this.#step = null;
    });
  }

  /** Resolves when nothing is under way; after an abort that is soon. Rejects only on a defect. */
  async settled(): Promise<void> {
    await this.#step;
  }

  /** What a remedy was verified with is to stay. */
  remedied(knob: LiveKnob): void {
    this.#standing.keep(knob);
  }

  /** The watch has ended. */
  async end(): Promise<void> {
    await this.settled();
    const { policy, process, say, openWriter } = this.#options;
    const stands = this.#standing.all();
    if (stands.length === 0 || !process.proc.isAlive(process)) return;
    const settings = stands.map(({ knob, ours }) => `${knob} ${inWords(ours)}`).join(' and ');
    if (policy.spec.actions.onDelete === 'Keep') {
      say(`${settings} stays, as the policy says (onDelete: Keep)`);
      return;
    }
    using writer = orNothing(openWriter());
    if (writer.value) await this.#restore(writer.value);
    else say(`${settings} could not be put back: ${writer.why}`);
  }

  async #restore(writer: GcWriter): Promise<void> {
    const { printer, say } = this.#options;
    const inEffect = writer.read()?.settings;
    if (!inEffect) return;
    const isOurs = ({ knob, ours }: Stands) => settingOf(knob, inEffect) === ours;
    for (const { knob, ours } of this.#standing.all().filter((each) => !isOurs(each)))
      say(`${knob} is ${inWords(settingOf(knob, inEffect))} by now, not ${inWords(ours)} as it was set: it stays`);
    const due = this.#standing.all().filter(isOurs);
    if (due.length === 0) return;
    const change: Partial<GcSettings> = Object.assign({}, ...due.map(({ knob, own }) => changeTo(knob, own)));
    const obstacle = await new LiveChange(writer, inEffect).restoreTo(change);
    for (const { knob, own, ours } of due) {
      if (obstacle !== undefined) say(`${knob} could not be put back to ${inWords(own)}: ${obstacle}`);
      else printer.rolledBack({ knob, from: ours, to: own, reason: 'the watch ended' });
    }
  }

  async #look(): Promise<void> {
    const { policy, windows, process, deeds, signal } = this.#options;
    const stretch = stretchBefore(windows.all(), policy.spec);
    if (!this.#isSeen(stretch)) return;
    const nowMs = Date.now();
    const facts = tuningFacts([stretch], nowMs);
    const plan = planTuning(
      {
        spec: policy.spec,
        subject: `process ${process.pid}`,
        ways: localWays(['GOGC', 'GOMEMLIMIT'], null),
        history: deeds.remedies,
        tuned: deeds.tunings,
        facts,
        newestWindowAgeMs: facts.newestWindowAgeMs,
        windowPeriodMs: windowMs,
        paused: false,
        killSwitch: false,
      },
      new Date(nowMs),
    );
    if (!isToBeDone(plan)) return this.#tell(plan, facts.activeRobots);
    try {
      await this.#set(plan, facts.activeRobots);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** What was just set shows in the windows: else it would be set once more. */
  #isSeen(windows: readonly SignalWindow[]): boolean {
    const newest = windows.findLast(({ gc }) => gc);
    return newest === undefined || Date.parse(newest.endedAt) - newest.durationMs >= this.#changedAtMs;
  }

  async #set(plan: LivePlan, activeRobots: number | null): Promise<void> {
    const { openWriter, printer, deeds } = this.#options;
    const { knob, from = null, to, underBytes: under } = plan;
    using writer = orNothing(openWriter());
    if (!writer.value) return this.#failed(plan, writer.why);
    const inEffect = writer.value.read()?.settings;
    // It has ended, or somebody else has set it since the newest window.
    if (!inEffect || settingOf(knob, inEffect) !== from) return;
    const change = new LiveChange(writer.value, inEffect);
    const why = await this.#write(plan, change);
    if (why !== undefined) return this.#takeBack(plan, change, why);
    deeds.tuned({ knob, before: from, after: to, ...(under ? { underBytes: { after: under } } : {}) });
    this.#told = plan;
    printer.tuning({ plan, activeRobots }, true);
  }

  /** @returns why it did not take effect */
  async #write({ knob, from = null, to }: LivePlan, change: LiveChange): Promise<string | undefined> {
    const { signal } = this.#options;
    try {
      return await change.set(changeTo(knob, to), { signal, withinMs: effectMs });
    } finally {
      this.#changedAtMs = Date.now();
      this.#standing.set(knob, from, settingOf(knob, change.current));
    }
  }

  async #takeBack(plan: LivePlan, change: LiveChange, why: string): Promise<void> {
    const { deeds, printer, say } = this.#options;
    const { knob, from = null, to } = plan;
    this.#failed(plan, why);
    const isWritten = change.isInPlace;
    const obstacle = await change.restore();
    this.#standing.set(knob, to, settingOf(knob, change.current));
    if (obstacle !== undefined) say(`${knob} could not be put back to ${inWords(from)}: ${obstacle}`);
    if (!isWritten || obstacle !== undefined) return;
    deeds.tuned({ kind: 'Rollback', knob, before: to, after: from });
    printer.rolledBack({ knob, from: to, to: from, reason: why });
  }

  /** The next looks tell it, by the guardrail that remembers it. */
  #failed({ knob, from = null, to }: LivePlan, message: string): void {
    const { deeds, say } = this.#options;
    deeds.tuned({ knob, before: from, after: to, result: 'Failed', message });
    say(`${knob} ${inWords(from)} → ${inWords(to)} was not made: ${message}`);
  }

  #tell(plan: Plan, activeRobots: number | null): void {
    if (this.#told && !isNews(this.#told, plan)) return;
    this.#told = plan;
    this.#options.printer.tuning({ plan, activeRobots }, false);
  }
}

function inWords(setting: Setting): string {
  return setting ?? 'unset';
}
