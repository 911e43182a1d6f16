/** From what the probe and the kernel told about one container to its `SignalWindow`. Pure; remembers only what the next window needs. */

import type { CgroupSample, GcLimiter, NodePressure } from '../../host/index.ts';
import type { HistogramEvent } from '../../host/probe/index.ts';
import { type SignalWindow, stallStats } from '../../model/index.ts';
import { remembered } from '../remembered.ts';
import { Allocated, type Heaps } from './allocated.ts';
import { assistsOf } from './assists.ts';
import { BooksLedger, type GcReading } from './books-ledger.ts';
import { CgroupLedger } from './cgroup-ledger.ts';
import type { ProbeFacts } from './facts-by-process.ts';
import { gcFacts } from './gc-facts.ts';
import { type GcCharge, GcLedger } from './gc-ledger.ts';
import { type CapturingAt, type Pauses, pausesOf } from './pauses.ts';
import type { SeenCycle } from './types.ts';
import { type CountedWaits, kernelMemory, networkWaits } from './waits.ts';

/** What stays the same from window to window. */
export type WindowSubject = Pick<SignalWindow, 'pod' | 'container' | 'containerId'>;

/** Everything that was observed from one tick to the next; times on CLOCK_MONOTONIC. */
export interface Observed extends ProbeFacts {
  readonly startNs: number;
  readonly endNs: number;
  /** Wall clock at `endNs`, ms since 1970. */
  readonly endedAtMs: number;
  /** Go processes of the container, ascending; all events are theirs. */
  readonly pids: readonly number[];
  readonly cgroup: CgroupSample | null;
  /** Read once for all containers of the tick. */
  readonly node?: NodePressure | null;
  readonly activeRobots: number | null;
  readonly lostEvents: number;
  readonly capturingAt: CapturingAt;
  /** Cycles whose phases are known since the last tick; of those processes that the probe watches. */
  readonly phased: readonly SeenCycle[];
  /** Of those processes that the probe does not watch, by pid, at the window's end. */
  readonly readings?: Readings;
  /** Whether the runtime limits its collector, by pid, at the window's end; of those processes that tell. */
  readonly limiters?: Limiters;
  /** What those processes have allocated that the probe watches, by pid, at the window's end; of those that tell. */
  readonly heaps?: Heaps;
  /** Window fields that were not observed. */
  readonly missing?: readonly string[];
}

type Readings = ReadonlyMap<number, GcReading>;
type Limiters = ReadonlyMap<number, GcLimiter>;

export class WindowBuilder {
  readonly #subject: WindowSubject;
  readonly #ledgers = new Map<number, GcLedger>();
  readonly #books = new Map<number, BooksLedger>();
  readonly #cgroup = new CgroupLedger();
  readonly #allocated = new Allocated();
  #limiters: Limiters = nothingRead;
  #seq = 0;
  /** On CLOCK_MONOTONIC; null when a window has told it. */
  #observedFromNs: number | null = null;

  constructor(subject: WindowSubject) {
    this.#subject = subject;
  }

  /** A process collects, as far as is known: with the next window's events it may turn out to have ended. */
  get isMarking(): boolean {
    for (const ledger of this.#ledgers.values()) if (ledger.isMarking) return true;
    return false;
  }

  /** Counts a window that could not be made (the probe was down): the gap in `seq` shows it. */
  skip(): void {
    for (const ledger of this.#ledgers.values()) ledger.interrupt();
    this.#seq += 1;
  }

  /** Observation begins, for the first time or again; the readings are those from which the next window's deltas count. */
  begin(
    atNs: number,
    {
      cgroup,
      node,
      readings = nothingRead,
      limiters = nothingRead,
      heaps = nothingRead,
    }: Pick<Observed, 'cgroup' | 'node' | 'readings' | 'limiters' | 'heaps'>,
  ): void {
    this.#observedFromNs = atNs;
    this.#cgroup.rebase(cgroup, node ?? null);
    this.#limiters = limiters;
    this.#allocated.take(heaps);
    this.#books.clear();
    for (const [pid, reading] of readings) this.#chargeBooks(pid, reading);
  }

  /** Takes note of a stretch too short to be judged, such as the part of a second before the first whole one. */
  prime(observed: Observed): void {
    this.#limiterOn(observed, this.#charges(observed));
    this.#cgroup.rebase(observed.cgroup, observed.node ?? null);
  }

  /** What did not happen in a window, and what stands still, are the same objects in each: a quiet container's window is made of few new ones. */
  close(observed: Observed): SignalWindow {
    const durationNs = spanNs(observed);
    const charges = this.#charges(observed);
    const pauses = pausesOf(observed.pauses, observed.capturingAt);
    const missing = missingOf(observed, pauses);
    const isObserved = (field: keyof SignalWindow): boolean => !missing.includes(field);
    const { assistHistograms, waits } = dealt(observed);
    const assists = assistsOf(assistHistograms, observed.sampled, pauses.gc);
    const { pod, container, containerId } = this.#subject;
    const window: SignalWindow = {
      endedAt: timeOf(observed.endedAtMs),
      durationMs: durationNs / 1e6,
      seq: this.#seq,
      pod,
      container,
      containerId,
      pids: observed.pids,
      gcPause: pauses.gcPause,
      gcAssist: stallStats(assists.sets),
      gcStall: assists.sets.length === 0 ? pauses.gcPause : stallStats([pauses.gc, ...assists.sets]),
      capturePause: pauses.capturePause,
      gc: gcFacts(charges, {
        durationNs,
        limiterOn: this.#limiterOn(observed, charges),
        phased: isObserved('gcPauseByReason') ? observed.phased : null,
      }),
      cgroup: this.#cgroup.close(observed.cgroup, observed.node ?? null, durationNs / 1e6),
      activeRobots: observed.activeRobots,
      lostEvents: observed.lostEvents,
    };
    if (pauses.gcStopping && isObserved('gcStopping')) window.gcStopping = pauses.gcStopping;
    if (isObserved('gcPauseByReason')) window.gcPauseByReason = pauses.gcPauseByReason;
    if (isObserved('otherPause')) window.otherPause = pauses.otherPause;
    if (assists.sampling) window.gcAssistSampling = assists.sampling;
    if (isObserved('kernelMemory')) window.kernelMemory = kernelMemory(waits);
    if (isObserved('network')) window.network = networkWaits(waits);
    if (missing.length > 0) window.missing = missing;
    this.#tellBeginning(window, observed);
    this.#seq += 1;
    return window;
  }

  #tellBeginning(window: SignalWindow, { endNs, endedAtMs }: Observed): void {
    const fromNs = this.#observedFromNs;
    if (fromNs === null) return;
    this.#observedFromNs = null;
    window.observedFrom = timeOf(endedAtMs - (endNs - fromNs) / 1e6);
  }

  #charges(observed: Observed): GcCharge[] {
    const { pids, readings = nothingRead, heaps = nothingRead, startNs, endNs } = observed;
    for (const pid of this.#ledgers.keys()) if (readings.has(pid) || !pids.includes(pid)) this.#ledgers.delete(pid);
    for (const pid of this.#books.keys()) if (!readings.has(pid)) this.#books.delete(pid);
    this.#allocated.take(heaps);
    const seconds = spanNs(observed) / 1e9;
    const charges: GcCharge[] = [];
    for (const pid of pids) {
      if (readings.has(pid)) continue;
      const ledger = this.#ledgers.get(pid) ?? new GcLedger();
      this.#ledgers.set(pid, ledger);
      const ofPid = <T extends { pid: number }>(events: readonly T[]): readonly T[] =>
        pids.length === 1 ? events : events.filter((event) => event.pid === pid);
      const charge = ledger.close(ofPid(observed.pauses), ofPid(observed.cycles), startNs, endNs);
      const bytes = this.#allocated.of(pid);
      charges.push(bytes === undefined ? charge : { ...charge, allocBytesPerSecond: bytes / seconds });
    }
    for (const [pid, reading] of readings) charges.push(this.#chargeBooks(pid, reading));
    return charges;
  }

  /** Of any process. Null where one of them does not tell, and none is on. What a program at rest was limited to says nothing of its rest. */
  #limiterOn({ pids, limiters = nothingRead }: Observed, charges: readonly GcCharge[]): boolean | null {
    const before = this.#limiters;
    this.#limiters = limiters;
    const works = charges.some(({ cycles, gcCpuNs }) => cycles > 0 || gcCpuNs > 0);
    for (const [pid, { isOn, lastCycle }] of limiters) {
      if ((works && isOn) || lastCycle > (before.get(pid)?.lastCycle ?? lastCycle)) return true;
    }
    return pids.every((pid) => limiters.has(pid)) ? false : null;
  }

  #chargeBooks(pid: number, reading: GcReading): GcCharge {
    const ledger = this.#books.get(pid) ?? new BooksLedger();
    this.#books.set(pid, ledger);
    return ledger.close(reading);
  }
}

const nothingRead: ReadonlyMap<number, never> = new Map<number, never>();

/** Windows of one tick end at one moment. */
const timeOf = remembered((ms: number) => new Date(ms).toISOString());

/** Never 0. */
function spanNs({ startNs, endNs }: Observed): number {
  return Math.max(1, endNs - startNs);
}

/** The list that was observed, unless more is missing. */
function missingOf({ missing = [], readings }: Observed, { gcStopping }: Pauses): readonly string[] {
  const further: (keyof SignalWindow)[] = [];
  if (areTimesUnknown(readings)) further.push('gc');
  if (gcStopping === null) further.push('gcStopping');
  return further.length === 0 ? missing : [...new Set([...missing, ...further])];
}

/** The books' times could not be read: what collections cost is not known. */
function areTimesUnknown(readings: Readings = nothingRead): boolean {
  for (const { work } of readings.values()) if (work === null) return true;
  return false;
}

/** Assists apart from what is waited for outside of the collector. */
function dealt({ histograms, counts }: Observed): {
  readonly assistHistograms: readonly HistogramEvent[];
  readonly waits: CountedWaits;
} {
  if (histograms.length === 0) return { assistHistograms: histograms, waits: { histograms, counts } };
  const { assists = [], waits = [] } = Object.groupBy(histograms, ({ of }) =>
    of === 'assist' || of === 'assistLooked' ? 'assists' : 'waits',
  );
  return { assistHistograms: assists, waits: { histograms: waits, counts } };
}
