/** One target from its first tick to its last: its processes, its cgroup, the window under way. */
import {
  type CgroupReader,
  type CgroupSample,
  type MissingFile,
  type NodePressure,
  pressureTotals,
  type ReadPace,
} from '../../host/index.ts';
import type { SignalWindow } from '../../model/index.ts';
import type { PressureTotals } from '../../model/pressure-onset.ts';
import { remembered } from '../remembered.ts';
import type { Attachments } from './attachments.ts';
import { CycleJoin } from './cycle-join.ts';
import type { FactsByProcess } from './facts-by-process.ts';
import { Followed } from './followed.ts';
import { KnownLimiters } from './known-limiters.ts';
import { windowFields } from './missing.ts';
import { missingInCgroup, noCgroup } from './missing-in-cgroup.ts';
import { News } from './news.ts';
import type { SamplerOptions } from './options.ts';
import { type CapturingAt, chargedTo } from './pauses.ts';
import type { MissingSignals, Population, SamplerSink, Target, TargetState } from './types.ts';
import { type Observed, WindowBuilder } from './window-builder.ts';

/** What one tick found, for one target. */
export interface TickFacts {
  /** The tick's events, by process. */
  readonly facts: FactsByProcess;
  /** Until when they are complete, on CLOCK_MONOTONIC. */
  readonly atNs: number;
  readonly atWallMs: number;
  readonly node: NodePressure;
  /** How much of the cgroup needs to be read. */
  readonly pace: ReadPace;
  readonly activeRobots: number | null;
  readonly capturingAt: CapturingAt;
  /** A stretch shorter than this is not judged. */
  readonly leastMs: number;
}

/** By which a first window begins. */
type Machine = Pick<SamplerOptions, 'monotonicNs' | 'readNode' | 'openCgroup'>;

export class Tracked {
  target: Target;
  readonly followed = new Followed();
  readonly news = new News();
  readonly #builder: WindowBuilder;
  #phases = new CycleJoin();
  #cgroup: CgroupReader | null = null;
  #isStarted = false;
  /** Start of the window under way; null while nothing is observed. */
  #sinceNs: number | null = null;
  #pressureTotals: PressureTotals | null = null;
  #missingFiles: readonly MissingFile[] | null = null;
  /** What the cgroup does not tell; its windows name that themselves. */
  #missingInCgroup: readonly MissingSignals[] = [];
  readonly #limiters = new KnownLimiters();
  readonly #missingFields = remembered(windowFields);
  readonly #state = remembered(stateWith);

  constructor(target: Target) {
    this.target = target;
    const { pod, container, containerId } = target;
    this.#builder = new WindowBuilder({ pod, container, containerId });
  }

  /** A process of it is, or until the probe failed was, watched. */
  get isStarted(): boolean {
    return this.#isStarted;
  }

  get cgroup(): CgroupReader | null {
    return this.#cgroup;
  }

  /** Of its memory pressure, as the last tick found them. */
  get pressureTotals(): PressureTotals | null {
    return this.#pressureTotals;
  }

  /** How it stands with it, as long as the probe works, or none can. The same object until that changes. */
  state(attachments: Attachments | null): TargetState {
    return this.#state(this.followed.state(), this.#missing(attachments), this.#missingInCgroup);
  }

  /** Everything is observed anew: by another probe, or without one. */
  reset(): void {
    this.followed.reset();
    this.#phases = new CycleJoin();
    this.#sinceNs = null;
  }

  /** Ends the window under way, and tells it and its events; or counts one that could not be made. */
  close(tick: TickFacts | null, attachments: Attachments | null, sink: SamplerSink): void {
    if (tick === null || this.#sinceNs === null) {
      this.#sinceNs = null;
      if (this.#isStarted) this.#builder.skip();
      return;
    }
    const observed = this.#observed(tick, this.#sinceNs, this.#missing(attachments));
    this.#sinceNs = tick.atNs;
    this.#tellEvents(observed, sink);
    const window = this.#build(observed, tick.leastMs);
    if (window) sink.window(this.target, window);
  }

  /** Begins a window when its first process is watched; ends all when none is. */
  beginOrEnd(cgroups: Population['cgroups'], { monotonicNs, readNode, openCgroup }: Machine): void {
    this.#isStarted = this.followed.watched().length > 0;
    if (!this.#isStarted) this.#sinceNs = null;
    if (!this.#isStarted || this.#sinceNs !== null) return;
    const atNs = monotonicNs();
    this.#sinceNs = atNs;
    this.#cgroup?.close();
    this.#cgroup = (cgroups && openCgroup(cgroups)) ?? null;
    this.#missingFiles = null;
    this.#missingInCgroup = cgroups && !this.#cgroup ? noCgroup : [];
    this.#builder.begin(atNs, {
      cgroup: this.#readCgroup('all'),
      node: readNode(),
      readings: this.followed.readings(atNs / 1e6),
      limiters: this.#limiters.after(true, this.followed.watched(), () => this.followed.limiters()),
      heaps: this.followed.heaps(),
    });
  }

  closeCgroup(): void {
    this.#cgroup?.close();
  }

  #missing(attachments: Attachments | null): readonly MissingSignals[] {
    return this.followed.missing(attachments);
  }

  #observed(tick: TickFacts, startNs: number, missing: readonly MissingSignals[]): Observed {
    const { facts, atNs, atWallMs, node, pace, activeRobots, capturingAt } = tick;
    const { followed } = this;
    const pids = followed.watched();
    const cgroup = this.#readCgroup(pace);
    const events = facts.of(pids);
    const readings = followed.readings(atNs / 1e6);
    const collects =
      events.pauses.length > 0 || events.cycles.length > 0 || readings.size > 0 || this.#builder.isMarking;
    this.#pressureTotals = cgroup?.pressure.memory ? pressureTotals(atNs, cgroup.pressure.memory) : null;
    return {
      startNs,
      endNs: atNs,
      endedAtMs: atWallMs,
      pids,
      pauses: events.pauses,
      assists: events.assists,
      cycles: events.cycles,
      histograms: events.histograms,
      sampled: events.sampled,
      counts: events.counts,
      waits: events.waits,
      phased: this.#phases.join(facts, pids),
      limiters: this.#limiters.after(collects, pids, () => followed.limiters()),
      heaps: followed.heaps(),
      readings,
      missing: this.#missingFields(missing),
      cgroup,
      node,
      activeRobots,
      lostEvents: facts.lostOf(pids),
      capturingAt,
    };
  }

  #readCgroup(pace: ReadPace): CgroupSample | null {
    const sample = this.#cgroup?.read(pace) ?? null;
    if (sample && sample.missing !== this.#missingFiles) {
      this.#missingFiles = sample.missing;
      this.#missingInCgroup = missingInCgroup(sample.missing);
    }
    return sample;
  }

  /** Null where too little time has passed to judge it. */
  #build(observed: Observed, leastMs: number): SignalWindow | null {
    if ((observed.endNs - observed.startNs) / 1e6 >= leastMs) return this.#builder.close(observed);
    this.#builder.prime(observed);
    return null;
  }

  #tellEvents({ pauses, phased, assists, waits, capturingAt }: Observed, sink: SamplerSink): void {
    const { target } = this;
    if (sink.pause) {
      for (const pause of pauses) sink.pause(target, { ...pause, chargedTo: chargedTo(pause, capturingAt) });
    }
    if (sink.cycle) for (const cycle of phased) sink.cycle(target, cycle);
    if (sink.assist) for (const assist of assists) sink.assist(target, assist);
    if (sink.wait) for (const wait of waits) sink.wait(target, wait);
  }
}

function stateWith(
  state: TargetState,
  ofProcesses: readonly MissingSignals[],
  ofCgroup: readonly MissingSignals[],
): TargetState {
  const missing = [...ofProcesses, ...ofCgroup];
  return state.state === 'Watching' && missing.length > 0 ? { ...state, missing } : state;
}
