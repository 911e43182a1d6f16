/**
 * The whole loop for one process of this machine: a breach is captured, its cause named, GOGC set in the running process, held against fresh
 * windows, and put back when that did not help. What is not verified does not stay: not when the watch ends either.
 */
import { sleep } from '../../../agent/sleep.ts';
import { type ActionRecord, type Diagnosis, durationMs, type Plan } from '../../../api/index.ts';
import { diagnose } from '../../../diagnosis/index.ts';
import { type Breach, deriveThresholds, type HeapHistory, type SignalWindow, summarise } from '../../../model/index.ts';
import { factsOfWindows, type Judgement, judge, plan, stretchBefore } from '../../../remedy/index.ts';
import type { Deeds } from './deeds.ts';
import { LiveChange } from './live.ts';
import { localWays, type Means, orNothing, windowMs } from './means.ts';
import type { Tuner } from './tuner.ts';

export interface HealerOptions extends Means {
  readonly heap: Pick<HeapHistory, 'points'>;
  /** Writes the evidence of these seconds; the bundle's path, or null when there was nothing to write. */
  readonly capture: (signal: AbortSignal) => Promise<string | null>;
  readonly deeds: Deeds;
  /** A breach waits for the end of a change of its, and what has been verified is not its any more. */
  readonly tuner: Pick<Tuner, 'settled' | 'remedied'> | null;
}

/** What comes after the stretch is looked at too while that was too little. */
const graceMs = 60_000;

export class Healer {
  readonly #options: HealerOptions;
  #episode: Promise<void> | null = null;

  constructor(options: HealerOptions) {
    this.#options = options;
  }

  /** A breach has begun; one that begins while another is being answered is part of that. */
  breach(breach: Breach): void {
    this.#episode ??= this.#answer(breach).finally(() => {
      this.#episode = null;
    });
  }

  get isBusy(): boolean {
    return this.#episode !== null;
  }

  /** Resolves when nothing is under way; after an abort that is soon. Rejects only on a defect. */
  async settled(): Promise<void> {
    await this.#episode;
  }

  async #answer(breach: Breach): Promise<void> {
    const { policy, windows, heap, printer, capture, signal } = this.#options;
    const atMs = Date.now();
    try {
      const bundle = policy.spec.actions.mode === 'Auto' ? await capture(signal) : null;
      const recorded = windows.all();
      const before = stretchBefore(recorded, policy.spec);
      const [diagnosis] = diagnose({
        windows: recorded,
        heapHistory: heap.points(),
        spec: policy.spec,
        thresholds: deriveThresholds(policy.spec),
        trigger: breach.signal,
      });
      if (!diagnosis) return;
      printer.diagnosis(diagnosis, bundle);
      await this.#remedy({ breach, diagnosis, before, atMs });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #remedy(episode: Episode): Promise<void> {
    const { openWriter, policy, printer, process, tuner, signal } = this.#options;
    if (policy.spec.actions.mode !== 'Auto') {
      printer.action(this.#plan(episode, episode.before, null), false);
      return;
    }
    await tuner?.settled();
    signal.throwIfAborted();
    using writer = orNothing(openWriter());
    const inEffect = writer.value?.read()?.settings;
    const ended = inEffect ? null : `process ${process.pid} has ended`;
    const first = this.#plan(episode, episode.before, writer.why ?? ended);
    if (!writer.value || !inEffect || first.kind !== 'Live' || first.blockedBy) {
      printer.action(first, false);
      return;
    }
    const change = new LiveChange(writer.value, inEffect);
    const outcome = await this.#steps(episode, first, change).catch((error: unknown) => {
      if (!this.#options.signal.aborted) throw error;
      return { type: 'undo', why: 'the watch ended before it was verified' } as const;
    });
    if (outcome.type === 'undo') await this.#undo(change, outcome.why);
    else tuner?.remedied('GOGC');
  }

  /** One step after the other while each goes the right way and only the step limit kept it short. */
  async #steps(episode: Episode, first: Plan, change: LiveChange): Promise<Outcome> {
    const { policy, printer } = this.#options;
    let next = first;
    for (let steps = 1; ; steps++) {
      const why = await change.set({ gcPercent: Number(next.to) }, { signal: this.#options.signal });
      if (why !== undefined) return { type: 'undo', why: `GOGC ${next.to} was not taken: ${why}` };
      this.#remedied('Live', next);
      printer.action(next, true);
      const { judgement, after } = await this.#verify(episode);
      const healMs = Date.now() - episode.atMs;
      if (judgement.verdict === 'Better') {
        printer.verified({
          reason: judgement.reason,
          before: summarise(episode.before),
          after: summarise(after),
          healMs,
        });
        return { type: 'kept' };
      }
      const further =
        next.clampedBy?.includes('maxStep') && judgement.progress && steps < policy.spec.actions.budget.actions;
      const plan = further ? this.#plan(episode, after, null) : undefined;
      if (plan?.kind !== 'Live' || plan.blockedBy) return { type: 'undo', why: judgement.reason };
      next = plan;
    }
  }

  async #verify({ breach, before }: Episode): Promise<{ judgement: Judgement; after: readonly SignalWindow[] }> {
    const { policy, windows, signal } = this.#options;
    const { verify } = policy.spec.actions;
    const fromMs = Date.now() + durationMs(verify.after);
    const untilMs = fromMs + durationMs(verify.window) + windowMs;
    await sleep(untilMs - Date.now(), signal);
    for (;;) {
      const after = windows.since(fromMs);
      const judgement = judge({ before, after, policy: policy.spec, signal: breach.signal });
      if (!judgement.laterMayTell || Date.now() >= untilMs + graceMs) return { judgement, after };
      await sleep(windowMs, signal);
    }
  }

  async #undo(change: LiveChange, why: string): Promise<void> {
    const { policy, printer, say } = this.#options;
    if (!change.isInPlace) {
      say(`nothing was changed: ${why}`);
      return;
    }
    const [from, to] = [change.current.gcPercent, change.original.gcPercent];
    if (!policy.spec.actions.verify.rollback) {
      say(`GOGC stays ${from}, as the policy says not to roll back: ${why}`);
      return;
    }
    const obstacle = await change.restore();
    if (obstacle !== undefined) {
      say(`GOGC could not be put back to ${to}: ${obstacle}`);
      return;
    }
    this.#remedied('Rollback', { from: String(from), to: String(to) });
    printer.rolledBack({ knob: 'GOGC', from: String(from), to: String(to), reason: why });
  }

  #plan({ breach, diagnosis, atMs }: Episode, windows: readonly SignalWindow[], whyNotLive: string | null): Plan {
    const { policy, process, deeds } = this.#options;
    const newest = windows.at(-1);
    const now = Date.now();
    return plan(
      {
        spec: policy.spec,
        signal: breach.signal,
        diagnosis,
        summary: summarise(windows),
        ...factsOfWindows(windows, now),
        subject: `process ${process.pid}`,
        ways: localWays(['GOGC'], whyNotLive),
        memoryLimitBytes: newest?.cgroup?.memoryLimitBytes ?? null,
        // The steps of this answer do not hold each other back.
        history: deeds.remedies.filter(({ at }) => Date.parse(at) < atMs),
        tuned: deeds.tunings,
        paused: false,
        killSwitch: false,
        windowPeriodMs: windowMs,
      },
      new Date(now),
    );
  }

  #remedied(kind: ActionRecord['kind'], { from = null, to = null }: Pick<Plan, 'from' | 'to'>): void {
    this.#options.deeds.remedied({ kind, knob: 'GOGC', before: from, after: to });
  }
}

interface Episode {
  readonly breach: Breach;
  readonly diagnosis: Diagnosis;
  readonly before: readonly SignalWindow[];
  readonly atMs: number;
}

type Outcome = { readonly type: 'kept' } | { readonly type: 'undo'; readonly why: string };
