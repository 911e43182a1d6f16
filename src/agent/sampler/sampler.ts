/**
 * The sampler: once a second, what the probe and the kernel tell of each target becomes a `SignalWindow`. It knows nothing of Kubernetes.
 *
 * A tick that comes late gives a longer window. While a probe that worked is down no window is made, and the gap in `seq` shows it. Where no
 * probe can work, the programs' own books are read instead, and windows and state say what is missing.
 */
import type { NodePressure } from '../../host/index.ts';
import { type Flush, nothingUntil, type ProbeClient } from '../../host/probe/index.ts';
import { sleep } from '../sleep.ts';
import { ActivityPoller, isAsked } from './activity-poller.ts';
import { Attachments, PlanCache } from './attachments.ts';
import { openReader } from './books.ts';
import { CaptureIntervals } from './capture-intervals.ts';
import { EarlyPressure } from './early-pressure.ts';
import { FactsByProcess } from './facts-by-process.ts';
import { NodePace } from './node-pace.ts';
import type { SamplerOptions } from './options.ts';
import { ProbeSupervisor } from './probe-supervisor.ts';
import { isProbeGone } from './progress.ts';
import { type RhythmSubject, Rhythms } from './rhythms.ts';
import { nextTickMs } from './ticks.ts';
import { type TickFacts, Tracked } from './tracked.ts';
import type { Inspection, Population, Target, TargetState } from './types.ts';

const nobody: Population = { pids: [], cgroups: null };

export class Sampler {
  readonly #options: SamplerOptions;
  readonly #periodMs: number;
  readonly #supervisor: ProbeSupervisor;
  readonly #plans = new PlanCache();
  readonly #captures = new CaptureIntervals();
  readonly #early: EarlyPressure;
  readonly #pace = new NodePace();
  readonly #tracked = new Map<string, Tracked>();
  #wanted: readonly Target[] = [];
  /** As `#tracked` follows them. */
  #known: readonly Target[] = [];
  #attachments: { probe: ProbeClient; attachments: Attachments } | null = null;
  /** No probe can work here: programs are read without one. */
  #withoutProbe = false;
  #rhythms: Rhythms | null = null;

  constructor(options: SamplerOptions) {
    this.#options = options;
    this.#periodMs = options.periodMs ?? 1000;
    this.#early = new EarlyPressure({
      start: options.watchPressure,
      readTotals: options.readPressureTotals,
      tell: (target, onset) => options.sink.pressure?.(target, onset),
    });
    this.#supervisor = new ProbeSupervisor({
      start: options.startProbe,
      nowMs: () => this.#nowMs(),
      ...(options.onProbeUp ? { onUp: options.onProbeUp } : {}),
      ...(options.onProbeDown ? { onDown: options.onProbeDown } : {}),
    });
  }

  /** Which targets to follow from the next tick on; a known key keeps its history. */
  setTargets(targets: readonly Target[]): void {
    this.#wanted = targets;
  }

  /**
   * Says that a capture of ours begins on a target; the returned function says that it is over. Meanwhile it is also watched how long the
   * program's goroutines wait for data, which costs a busy server too much to be watched always.
   */
  captureBegins(key: string): () => void {
    const end = this.#captures.begin(key, this.#options.monotonicNs());
    const endReads = this.#watchReads(key);
    return () => {
      end(this.#options.monotonicNs());
      endReads();
    };
  }

  /** What is known of a target at this moment beyond its windows; null for one that is not followed. */
  inspect(key: string): Inspection | null {
    const tracked = this.#tracked.get(key);
    if (!tracked) return null;
    const { followed, cgroup } = tracked;
    return { programs: followed.programs(), cgroup: cgroup?.read() ?? null, rhythm: this.#rhythms?.of(key) ?? null };
  }

  /** Samples until the signal is aborted; then takes every probe out of every program. Rejects only on a defect. */
  async run(signal: AbortSignal): Promise<void> {
    const { scrape, countConnections } = this.#options;
    const activity = new ActivityPoller({ scrape, countConnections, nowMs: () => this.#nowMs(), signal });
    this.#rhythms = this.#options.sink.rhythm ? this.#lookForRhythms(signal) : null;
    const startMs = this.#nowMs();
    await this.#tick(activity);
    while (!signal.aborted) {
      await sleep(nextTickMs(startMs, this.#nowMs(), this.#periodMs) - this.#nowMs(), signal).catch(() => {});
      await this.#tick(activity);
    }
    await this.#rhythms?.settled();
    this.#early.close();
    for (const tracked of this.#tracked.values()) tracked.closeCgroup();
    await this.#supervisor.stop();
  }

  #nowMs(): number {
    return this.#options.monotonicNs() / 1e6;
  }

  #watchReads(key: string): () => void {
    const tracked = this.#tracked.get(key);
    const attachments = this.#attachments?.attachments;
    if (!tracked || !attachments) return () => {};
    // Evidence beside the capture: where it cannot be had the capture goes on without.
    const begun = tracked.followed
      .programs()
      .map(({ executable, plan }) => attachments.watchReads(executable, plan).catch(() => async () => {}));
    return () => {
      for (const watching of begun) void watching.then((end) => end()).catch(() => {});
    };
  }

  async #tick(activity: ActivityPoller): Promise<void> {
    const probe = await this.#supervisor.current();
    const wasWithout = this.#withoutProbe;
    if (!wasWithout) this.#changeProbe(probe);
    const flush = wasWithout ? nothingUntil(this.#options.monotonicNs()) : probe && (await this.#flush(probe));
    this.#closeWindows(flush, activity);
    // After its last window: what ended is often known from the API before the tick that tells how.
    await this.#forgetUnwanted();
    // What was read without a probe has its last window by now, and begins anew with one.
    if (wasWithout) this.#changeProbe(probe);
    this.#withoutProbe = this.#supervisor.obstacle !== null;
    if ((flush && probe) || this.#withoutProbe) await this.#followProcesses(probe, flush);
    const tracked = [...this.#tracked.values()];
    const asked = tracked.filter(({ target }) => isAsked(target.activity));
    activity.poll(asked.map(({ target, followed }) => ({ target, pids: followed.watched() })));
    for (const each of tracked) {
      this.#early.follow(each.target, each.isStarted ? each.cgroup : null, each.pressureTotals);
      this.#tellNews(each, activity);
    }
    this.#rhythms?.offer(tracked.flatMap((each) => this.#rhythmSubject(each)));
    this.#options.onTick?.();
  }

  #closeWindows(flush: Flush | null, activity: ActivityPoller): void {
    const node = this.#options.readNode();
    const common = flush && this.#factsOfAll(flush, node);
    for (const tracked of this.#tracked.values()) {
      const { target } = tracked;
      const reading = activity.reading(target);
      const tick = common && {
        ...common,
        activeRobots: reading?.kind === 'count' ? reading.robots : null,
        capturingAt: (atNs: number) => this.#captures.contains(target.key, atNs),
      };
      tracked.close(tick, this.#attachments?.attachments ?? null, this.#options.sink);
    }
  }

  #factsOfAll(flush: Flush, node: NodePressure): Omit<TickFacts, 'activeRobots' | 'capturingAt'> {
    const { monotonicNs, wallMs } = this.#options;
    return {
      facts: new FactsByProcess(flush),
      atNs: flush.atNs,
      atWallMs: wallMs() - (monotonicNs() - flush.atNs) / 1e6,
      node,
      pace: this.#pace.at(node),
      leastMs: this.#periodMs / 2,
    };
  }

  #lookForRhythms(signal: AbortSignal): Rhythms {
    return new Rhythms({
      ...this.#options.rhythm,
      nowMs: () => this.#nowMs(),
      tell: (key, rhythm) => {
        const target = this.#tracked.get(key)?.target;
        if (target) this.#options.sink.rhythm?.(target, rhythm);
      },
      signal,
    });
  }

  /** Of several processes of a container the first, which is nearly always the only one. */
  #rhythmSubject({ target, followed }: Tracked): RhythmSubject[] {
    const pid = followed.watched()[0];
    return pid === undefined ? [] : [{ key: target.key, open: () => openReader(pid, this.#options.proc, this.#plans) }];
  }

  /** A new probe has no attachments: everything is attached anew by the same path as a new process. */
  #changeProbe(probe: ProbeClient | null): void {
    if ((this.#attachments?.probe ?? null) === probe) return;
    this.#attachments = probe ? { probe, attachments: new Attachments(probe, this.#options.alwaysReads) } : null;
    this.#early.useProbe(probe);
    for (const tracked of this.#tracked.values()) tracked.reset();
  }

  async #forgetUnwanted(): Promise<void> {
    if (this.#known === this.#wanted) return;
    this.#known = this.#wanted;
    const wanted = new Map(this.#wanted.map((target) => [target.key, target]));
    for (const [key, tracked] of this.#tracked) {
      if (wanted.has(key)) continue;
      this.#tracked.delete(key);
      this.#captures.forget(key);
      tracked.closeCgroup();
      this.#early.forget(key);
      await tracked.followed.release(this.#attachments?.attachments ?? null).catch(() => {});
    }
    for (const [key, target] of wanted) {
      const known = this.#tracked.get(key);
      if (known) known.target = target;
      else this.#tracked.set(key, new Tracked(target));
    }
  }

  async #flush(probe: ProbeClient): Promise<Flush | null> {
    const beganNs = this.#options.monotonicNs();
    try {
      const flush = await probe.flush();
      this.#options.onFlush?.(flush, (this.#options.monotonicNs() - beganNs) / 1e6);
      return flush;
    } catch (error) {
      await this.#supervisor.abandon(probe, error);
      this.#changeProbe(null);
      return null;
    }
  }

  async #followProcesses(probe: ProbeClient | null, flush: Flush | null): Promise<void> {
    const { proc, populate } = this.#options;
    const attachments = this.#attachments?.attachments ?? null;
    if (probe && !attachments) return;
    const obstacle = this.#supervisor.obstacle;
    const without = { reason: obstacle?.code ?? '', message: obstacle?.message ?? '' };
    const tools = { proc, plans: this.#plans, attachments, without };
    const populations = populate();
    const { gone, execs } = flush ?? nothingUntil(0);
    let nowMs = this.#nowMs();
    try {
      for (const [key, tracked] of this.#tracked) {
        const { pids, cgroups } = populations.get(key) ?? nobody;
        const { followed } = tracked;
        if (gone.length > 0) await followed.gone(gone, attachments);
        if (execs.length > 0) followed.changed(execs);
        if (!followed.isSettled(pids, nowMs)) {
          await followed.follow(pids, { ...tools, nowMs });
          nowMs = this.#nowMs();
        }
        tracked.beginOrEnd(cgroups, this.#options);
      }
    } catch (error) {
      if (!isProbeGone(error) || !probe) throw error;
      await this.#supervisor.abandon(probe, error);
      this.#changeProbe(null);
    }
  }

  #tellNews(tracked: Tracked, activity: ActivityPoller): void {
    const { target, followed, news } = tracked;
    const { sink } = this.#options;
    const state = this.#stateOf(tracked);
    if (news.isNewState(state)) sink.state?.(target, state);
    const reading = followed.watched().length > 0 ? activity.reading(target) : null;
    if (reading && news.isNewActivity(target.activity, reading)) sink.activity?.(target, reading);
  }

  #stateOf(tracked: Tracked): TargetState {
    const down = this.#supervisor.lastError;
    // An end of a working probe is mended within seconds; where none can work, programs are read without one.
    if (down && !this.#withoutProbe) return { state: 'Waiting', reason: down.code, message: down.message };
    return tracked.state(this.#attachments?.attachments ?? null);
  }
}
