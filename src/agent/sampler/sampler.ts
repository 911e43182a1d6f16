/**
 * The sampler: once a second, what the probe and the kernel tell of each target becomes a `SignalWindow`. It knows nothing of Kubernetes.
 *
 * A tick that comes late gives a longer window. While a probe that worked is down no window is made, and the gap in `seq` shows it. Where no
 * probe can work, the programs' own books are read instead, and windows and state say what is missing.
 */
import type {
  ActivityResult,
  CgroupMembership,
  CgroupReader,
  ConnectionsRequest,
  NodePressure,
  OnPressure,
  PressureWatch,
  Proc,
  ReadPace,
  ScrapeRequest,
} from '../../host/index.ts';
import { type Flush, nothingUntil, type ProbeClient, type ProbeError } from '../../host/probe/index.ts';
import { sleep } from '../sleep.ts';
import { ActivityPoller, isUnanswered } from './activity-poller.ts';
import { Attachments, PlanCache } from './attachments.ts';
import { openReader } from './books.ts';
import { CaptureIntervals } from './capture-intervals.ts';
import { CycleJoin } from './cycle-join.ts';
import { EarlyPressure } from './early-pressure.ts';
import { FactsByProcess } from './facts-by-process.ts';
import { Followed } from './followed.ts';
import { ProbeSupervisor } from './probe-supervisor.ts';
import { isProbeGone } from './progress.ts';
import { type RhythmSubject, Rhythms, type RhythmsOptions } from './rhythms.ts';
import { nextTickMs } from './ticks.ts';
import type {
  Activity,
  ActivitySource,
  Inspection,
  MissingSignals,
  Population,
  SamplerSink,
  Target,
  TargetState,
} from './types.ts';
import { type Observed, WindowBuilder } from './window-builder.ts';

export interface SamplerOptions {
  readonly proc: Proc;
  readonly startProbe: () => Promise<ProbeClient>;
  readonly openCgroup: (memberships: readonly CgroupMembership[]) => CgroupReader | undefined;
  /** Pressure of the whole node at this moment. */
  readonly readNode: () => NodePressure;
  /** Watches memory pressure between ticks. */
  readonly watchPressure: (onPressure: OnPressure) => PressureWatch;
  readonly scrape: (request: ScrapeRequest) => Promise<ActivityResult>;
  readonly countConnections: (request: ConnectionsRequest) => Promise<ActivityResult>;
  /** Records the allocation of programs for some seconds. */
  readonly rhythm: Pick<RhythmsOptions, 'record' | 'pace'>;
  /** Processes of all targets, by key, at this moment. */
  readonly populate: () => ReadonlyMap<string, Population>;
  readonly sink: SamplerSink;
  readonly onProbeDown?: (error: ProbeError, retryInMs: number) => void;
  readonly onProbeUp?: (probe: ProbeClient) => void;
  /** After each tick, whether the probe is there or not. */
  readonly onTick?: () => void;
  readonly onFlush?: (flush: Flush, tookMs: number) => void;
  /** Default one second. */
  readonly periodMs?: number;
  /** CLOCK_MONOTONIC. */
  readonly monotonicNs: () => number;
  readonly wallMs: () => number;
}

interface Tracked {
  target: Target;
  readonly followed: Followed;
  readonly builder: WindowBuilder;
  phases: CycleJoin;
  cgroup: CgroupReader | null;
  /** A process of it is, or until the probe failed was, watched. */
  started: boolean;
  /** Start of the window under way; null while nothing is observed. */
  sinceNs: number | null;
  told: string;
  /** As it was last compared with `told`. */
  state: TargetState | null;
  toldActivity: string;
}

/** What one tick found, for one target. */
interface TickFacts {
  readonly flush: Flush;
  /** The flush's events, by process. */
  readonly facts: FactsByProcess;
  readonly node: NodePressure;
  /** How much of each cgroup needs to be read. */
  readonly pace: ReadPace;
  readonly activeRobots: number | null;
}

export class Sampler {
  readonly #options: SamplerOptions;
  readonly #supervisor: ProbeSupervisor;
  readonly #plans = new PlanCache();
  readonly #captures = new CaptureIntervals();
  readonly #early: EarlyPressure;
  readonly #tracked = new Map<string, Tracked>();
  #wanted: readonly Target[] = [];
  /** Total of the node's memory pressure at the last tick. */
  #nodeMemoryNs: number | null = null;
  #attachments: { probe: ProbeClient; attachments: Attachments } | null = null;
  /** No probe can work here: programs are read without one. */
  #withoutProbe = false;
  #rhythms: Rhythms | null = null;

  constructor(options: SamplerOptions) {
    this.#options = options;
    this.#early = new EarlyPressure({
      start: options.watchPressure,
      tell: (target, onset) => options.sink.pressure?.(target, onset),
    });
    this.#supervisor = new ProbeSupervisor({
      start: options.startProbe,
      nowMs: () => options.monotonicNs() / 1e6,
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
    const periodMs = this.#options.periodMs ?? 1000;
    const nowMs = (): number => this.#options.monotonicNs() / 1e6;
    const { scrape, countConnections } = this.#options;
    const activity = new ActivityPoller({ scrape, countConnections, nowMs, signal });
    this.#rhythms = this.#options.sink.rhythm ? this.#lookForRhythms(signal) : null;
    const startMs = nowMs();
    await this.#tick(activity);
    while (!signal.aborted) {
      await sleep(nextTickMs(startMs, nowMs(), periodMs) - nowMs(), signal).catch(() => {});
      await this.#tick(activity);
    }
    await this.#rhythms?.settled();
    this.#early.close();
    for (const tracked of this.#tracked.values()) tracked.cgroup?.close();
    await this.#supervisor.stop();
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
    await this.#forgetUnwanted();
    const flush = wasWithout ? nothingUntil(this.#options.monotonicNs()) : probe && (await this.#flush(probe));
    const node = this.#options.readNode();
    const pace = this.#paceAt(node);
    const facts = flush ? new FactsByProcess(flush) : null;
    for (const tracked of this.#tracked.values()) {
      const reading = activity.reading(tracked.target);
      const activeRobots = reading?.kind === 'count' ? reading.robots : null;
      if (flush && facts) this.#closeWindow(tracked, { flush, facts, node, pace, activeRobots });
      else skipWindow(tracked);
    }
    // What was read without a probe has its last window by now, and begins anew with one.
    if (wasWithout) this.#changeProbe(probe);
    this.#withoutProbe = this.#supervisor.obstacle !== null;
    if ((flush && probe) || this.#withoutProbe) await this.#followProcesses(probe, flush);
    const tracked = [...this.#tracked.values()];
    activity.poll(tracked.map(({ target, followed }) => ({ target, pids: followed.watched() })));
    for (const each of tracked) {
      this.#early.follow(each.target, each.started ? each.cgroup : null);
      this.#tellState(each);
      this.#tellActivity(each, activity.reading(each.target));
    }
    this.#rhythms?.offer(tracked.flatMap((each) => this.#rhythmSubject(each)));
    this.#options.onTick?.();
  }

  #lookForRhythms(signal: AbortSignal): Rhythms {
    return new Rhythms({
      ...this.#options.rhythm,
      nowMs: () => this.#options.monotonicNs() / 1e6,
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

  #paceAt({ memory }: NodePressure): ReadPace {
    const before = this.#nodeMemoryNs;
    this.#nodeMemoryNs = memory?.some.totalNs ?? null;
    return before !== null && before === this.#nodeMemoryNs ? 'calm' : 'tick';
  }

  /** A new probe has no attachments: everything is attached anew by the same path as a new process. */
  #changeProbe(probe: ProbeClient | null): void {
    if ((this.#attachments?.probe ?? null) === probe) return;
    this.#attachments = probe ? { probe, attachments: new Attachments(probe) } : null;
    this.#early.useProbe(probe);
    for (const tracked of this.#tracked.values()) {
      tracked.followed.reset();
      tracked.phases = new CycleJoin();
      tracked.sinceNs = null;
    }
  }

  async #forgetUnwanted(): Promise<void> {
    const wanted = new Map(this.#wanted.map((target) => [target.key, target]));
    for (const [key, tracked] of this.#tracked) {
      if (wanted.has(key)) continue;
      this.#tracked.delete(key);
      this.#captures.forget(key);
      tracked.cgroup?.close();
      this.#early.forget(key);
      await tracked.followed.release(this.#attachments?.attachments ?? null).catch(() => {});
    }
    for (const [key, target] of wanted) {
      const known = this.#tracked.get(key);
      if (known) known.target = target;
      else this.#tracked.set(key, newlyTracked(target));
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

  #closeWindow(tracked: Tracked, { flush, facts, node, pace, activeRobots }: TickFacts): void {
    const { target, sinceNs, builder } = tracked;
    const pids = tracked.followed.watched();
    if (sinceNs === null) {
      skipWindow(tracked);
      return;
    }
    const observed: Observed = {
      startNs: sinceNs,
      endNs: flush.atNs,
      endedAtMs: this.#options.wallMs() - (this.#options.monotonicNs() - flush.atNs) / 1e6,
      pids,
      ...facts.of(pids),
      limiters: tracked.followed.limiters(),
      readings: tracked.followed.readings(this.#options.monotonicNs() / 1e6),
      missing: this.#missing(tracked).flatMap(({ signals }) => signals),
      cgroup: tracked.cgroup?.read(pace) ?? null,
      node,
      activeRobots,
      lostEvents: flush.lost,
      capturingAt: (atNs) => this.#captures.contains(target.key, atNs),
    };
    tracked.sinceNs = flush.atNs;
    this.#tellEvents(tracked, observed, facts);
    const { assist } = this.#options.sink;
    if (assist) for (const each of flush.assists) if (pids.includes(each.pid)) assist(target, each);
    const periodMs = this.#options.periodMs ?? 1000;
    if ((flush.atNs - sinceNs) / 1e6 < periodMs / 2) builder.prime(observed);
    else this.#options.sink.window(target, builder.close(observed));
  }

  #tellEvents({ target, phases }: Tracked, { pauses, waits, pids }: Observed, facts: FactsByProcess): void {
    const { sink } = this.#options;
    if (sink.pause) for (const pause of pauses) sink.pause(target, pause);
    if (sink.cycle) for (const cycle of phases.join(facts, pids)) sink.cycle(target, cycle);
    if (sink.wait) for (const wait of waits) sink.wait(target, wait);
  }

  async #followProcesses(probe: ProbeClient | null, flush: Flush | null): Promise<void> {
    const { proc } = this.#options;
    const attachments = this.#attachments?.attachments ?? null;
    if (probe && !attachments) return;
    const obstacle = this.#supervisor.obstacle;
    const without = { reason: obstacle?.code ?? '', message: obstacle?.message ?? '' };
    const populations = this.#options.populate();
    try {
      for (const [key, tracked] of this.#tracked) {
        const population = populations.get(key);
        await tracked.followed.gone(flush?.gone ?? [], attachments);
        tracked.followed.changed(flush?.execs ?? []);
        const nowMs = this.#options.monotonicNs() / 1e6;
        await tracked.followed.follow(population?.pids ?? [], {
          proc,
          plans: this.#plans,
          attachments,
          without,
          nowMs,
        });
        this.#beginOrEnd(tracked, population);
      }
    } catch (error) {
      if (!isProbeGone(error) || !probe) throw error;
      await this.#supervisor.abandon(probe, error);
      this.#changeProbe(null);
    }
  }

  #beginOrEnd(tracked: Tracked, population: Population | undefined): void {
    const watching = tracked.followed.watched().length > 0;
    tracked.started = watching;
    if (!watching) tracked.sinceNs = null;
    if (!watching || tracked.sinceNs !== null) return;
    tracked.sinceNs = this.#options.monotonicNs();
    tracked.cgroup?.close();
    tracked.cgroup = population?.cgroups ? (this.#options.openCgroup(population.cgroups) ?? null) : null;
    const readings = tracked.followed.readings(this.#options.monotonicNs() / 1e6);
    tracked.builder.begin(tracked.sinceNs, {
      cgroup: tracked.cgroup?.read() ?? null,
      node: this.#options.readNode(),
      readings,
      limiters: tracked.followed.limiters(),
    });
  }

  #tellState(tracked: Tracked): void {
    const state = this.#stateOf(tracked);
    if (state === tracked.state) return;
    tracked.state = state;
    const told = JSON.stringify(state);
    if (told === tracked.told) return;
    tracked.told = told;
    this.#options.sink.state?.(tracked.target, state);
  }

  #tellActivity(tracked: Tracked, activity: Activity | null): void {
    if (activity === null || tracked.followed.watched().length === 0 || isUnanswered(activity)) return;
    const told = toldOf(tracked.target.activity, activity);
    if (told === tracked.toldActivity) return;
    tracked.toldActivity = told;
    this.#options.sink.activity?.(tracked.target, activity);
  }

  #stateOf(tracked: Tracked): TargetState {
    const down = this.#supervisor.lastError;
    // An end of a working probe is mended within seconds; where none can work, programs are read without one.
    if (down && !this.#withoutProbe) return { state: 'Waiting', reason: down.code, message: down.message };
    const state = tracked.followed.state();
    const missing = this.#missing(tracked);
    return state.state === 'Watching' && missing.length > 0 ? { ...state, missing } : state;
  }

  #missing({ followed }: Tracked): readonly MissingSignals[] {
    return followed.missing(this.#attachments?.attachments ?? null);
  }
}

function newlyTracked(target: Target): Tracked {
  const { pod, container, containerId } = target;
  const builder = new WindowBuilder({ pod, container, containerId });
  return {
    target,
    followed: new Followed(),
    builder,
    phases: new CycleJoin(),
    cgroup: null,
    started: false,
    sinceNs: null,
    told: '',
    state: null,
    toldActivity: '',
  };
}

/** What was said of the robots; messages of those that are asked may differ each time, and say the same. */
function toldOf(source: ActivitySource | null, activity: Activity): string {
  if (activity.kind === 'count') return 'count';
  return source?.kind === 'given' ? activity.message : `${activity.reason} ${JSON.stringify(source)}`;
}

function skipWindow(tracked: Tracked): void {
  tracked.sinceNs = null;
  if (tracked.started) tracked.builder.skip();
}
