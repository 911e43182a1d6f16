/**
 * The whole loop for one process of this machine: a breach is captured, its cause named, GOGC set in the running process, held against fresh
 * windows, and put back when that did not help. What is not verified does not stay: not when the watch ends either.
 */
import { sleep } from '../../../agent/sleep.ts';
import { type ActionRecord, type Diagnosis, durationMs, type Plan, type RobotGCPolicy } from '../../../api/index.ts';
import { diagnose } from '../../../diagnosis/index.ts';
import type { GcWriter } from '../../../host/index.ts';
import {
  type Breach,
  deriveThresholds,
  type HeapHistory,
  type SignalWindow,
  summarise,
  type WindowRing,
} from '../../../model/index.ts';
import { factsOfWindows, type Judgement, judge, plan, stretchBefore, type Way } from '../../../remedy/index.ts';
import type { Printer } from '../printer.ts';
import type { NamedProcess } from '../process.ts';
import { LiveChange } from './live.ts';

export interface HealerOptions {
  readonly process: NamedProcess;
  readonly policy: RobotGCPolicy;
  readonly windows: Pick<WindowRing, 'all' | 'since'>;
  readonly heap: Pick<HeapHistory, 'points'>;
  readonly printer: Printer;
  readonly say: (sentence: string) => void;
  /** Writes the evidence of these seconds; the bundle's path, or null when there was nothing to write. */
  readonly capture: (signal: AbortSignal) => Promise<string | null>;
  /** Or why the process's settings cannot be written. */
  readonly openWriter: () => GcWriter | string;
  readonly signal: AbortSignal;
}

/** What comes after the stretch is looked at too while that was too little. */
const graceMs = 60_000;
const windowMs = 1_000;

const noRollout: Way = {
  kind: 'Missing',
  of: 'Rollout',
  why: 'Rollout is possible in a cluster only; here it takes Live in actions.apply.',
};

export class Healer {
  readonly #options: HealerOptions;
  readonly #history: ActionRecord[] = [];
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
    const { openWriter, policy, printer, process } = this.#options;
    if (policy.spec.actions.mode !== 'Auto') {
      printer.action(this.#plan(episode, episode.before, null), false);
      return;
    }
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
  }

  /** One step after the other while each goes the right way and only the step limit kept it short. */
  async #steps(episode: Episode, first: Plan, change: LiveChange): Promise<Outcome> {
    const { policy, printer } = this.#options;
    let next = first;
    for (let steps = 1; ; steps++) {
      const why = await change.set(Number(next.to), this.#options.signal);
      if (why !== undefined) return { type: 'undo', why: `GOGC ${next.to} was not taken: ${why}` };
      this.#record('Live', next);
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
    const { gogc: from, originalGogc: to } = change;
    if (!policy.spec.actions.verify.rollback) {
      say(`GOGC stays ${from}, as the policy says not to roll back: ${why}`);
      return;
    }
    const obstacle = await change.restore();
    if (obstacle !== undefined) {
      say(`GOGC could not be put back to ${to}: ${obstacle}`);
      return;
    }
    this.#record('Rollback', { from: String(from), to: String(to) });
    printer.rolledBack({ knob: 'GOGC', from: String(from), to: String(to), reason: why });
  }

  #plan({ breach, diagnosis, atMs }: Episode, windows: readonly SignalWindow[], whyNotLive: string | null): Plan {
    const { policy, process } = this.#options;
    const newest = windows.at(-1);
    const live: Way =
      whyNotLive === null ? { kind: 'Live', knobs: ['GOGC'] } : { kind: 'Missing', of: 'Live', why: `${whyNotLive}.` };
    const now = Date.now();
    return plan(
      {
        spec: policy.spec,
        signal: breach.signal,
        diagnosis,
        summary: summarise(windows),
        ...factsOfWindows(windows, now),
        subject: `process ${process.pid}`,
        ways: [live, noRollout],
        memoryLimitBytes: newest?.cgroup?.memoryLimitBytes ?? null,
        // The steps of this answer do not hold each other back.
        history: this.#history.filter(({ at }) => Date.parse(at) < atMs),
        paused: false,
        killSwitch: false,
        windowPeriodMs: windowMs,
      },
      new Date(now),
    );
  }

  #record(kind: ActionRecord['kind'], { from = null, to = null }: Pick<Plan, 'from' | 'to'>): void {
    const { pid, comm, startTicks } = this.#options.process;
    this.#history.push({
      kind,
      owner: { apiVersion: '', kind: 'Process', name: comm, uid: `${pid}-${startTicks}` },
      container: comm,
      knob: 'GOGC',
      before: from,
      after: to,
      at: new Date().toISOString(),
      result: 'Completed',
    });
  }
}

interface Episode {
  readonly breach: Breach;
  readonly diagnosis: Diagnosis;
  readonly before: readonly SignalWindow[];
  readonly atMs: number;
}

type Outcome = { readonly type: 'kept' } | { readonly type: 'undo'; readonly why: string };

function orNothing(
  opened: GcWriter | string,
): Disposable & { readonly value: GcWriter | null; readonly why: string | null } {
  const value = typeof opened === 'string' ? null : opened;
  return { value, why: value ? null : String(opened), [Symbol.dispose]: () => value?.[Symbol.dispose]() };
}
