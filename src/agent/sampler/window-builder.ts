/** From what the probe and the kernel told about one container to its `SignalWindow`. Pure; remembers only what the next window needs. */

import type { CgroupSample, GcLimiter, NodePressure } from '../../host/index.ts';
import { type SignalWindow, stallStats } from '../../model/index.ts';
import { Allocated, type Heaps } from './allocated.ts';
import { assistsOf } from './assists.ts';
import { BooksLedger, type GcReading } from './books-ledger.ts';
import { CgroupLedger } from './cgroup-ledger.ts';
import type { ProbeFacts } from './facts-by-process.ts';
import { gcFacts } from './gc-facts.ts';
import { type GcCharge, GcLedger } from './gc-ledger.ts';
import { type CapturingAt, pausesOf } from './pauses.ts';
import type { SeenCycle } from './types.ts';
import { kernelMemory, networkWaits } from './waits.ts';

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
  #limiters: Limiters = new Map();
  #seq = 0;
  /** On CLOCK_MONOTONIC; null when a window has told it. */
  #observedFromNs: number | null = null;

  constructor(subject: WindowSubject) {
    this.#subject = subject;
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
      readings = new Map(),
      limiters = new Map(),
      heaps = new Map(),
    }: Pick<Observed, 'cgroup' | 'node' | 'readings' | 'limiters' | 'heaps'>,
  ): void {
    this.#observedFromNs = atNs;
    this.#cgroup.rebase(cgroup, node ?? null);
    this.#limiters = limiters;
    this.#allocated.since(heaps);
    this.#books.clear();
    this.#chargeBooks(readings);
  }

  /** Takes note of a stretch too short to be judged, such as the part of a second before the first whole one. */
  prime(observed: Observed): void {
    this.#limiterOn(observed, this.#charges(observed));
    this.#cgroup.rebase(observed.cgroup, observed.node ?? null);
  }

  close(observed: Observed): SignalWindow {
    const durationNs = spanNs(observed);
    const charges = this.#charges(observed);
    const pauses = pausesOf(observed.pauses, observed.capturingAt);
    const missing = new Set([
      ...(observed.missing ?? []),
      ...(areTimesUnknown(observed) ? ['gc'] : []),
      ...(pauses.gcStopping === null ? ['gcStopping'] : []),
    ]);
    const isObserved = (field: keyof SignalWindow): boolean => !missing.has(field);
    const assists = assistsOf(
      observed.histograms.filter((histogram) => histogram.of === 'assist'),
      observed.sampled,
      pauses.gc,
    );
    const window: SignalWindow = {
      endedAt: new Date(observed.endedAtMs).toISOString(),
      durationMs: durationNs / 1e6,
      seq: this.#seq,
      ...this.#beginning(observed),
      ...this.#subject,
      pids: [...observed.pids],
      gcPause: stallStats([pauses.gc]),
      ...(pauses.gcStopping && isObserved('gcStopping') ? { gcStopping: pauses.gcStopping } : {}),
      ...(isObserved('gcPauseByReason') ? { gcPauseByReason: pauses.gcPauseByReason } : {}),
      gcAssist: stallStats(assists.sets),
      gcStall: stallStats([pauses.gc, ...assists.sets]),
      capturePause: pauses.capturePause,
      ...(isObserved('otherPause') ? { otherPause: pauses.otherPause } : {}),
      ...(assists.sampling ? { gcAssistSampling: assists.sampling } : {}),
      ...(isObserved('kernelMemory') ? { kernelMemory: kernelMemory(observed) } : {}),
      ...(isObserved('network') ? { network: networkWaits(observed) } : {}),
      gc: gcFacts(charges, {
        durationNs,
        limiterOn: this.#limiterOn(observed, charges),
        phased: isObserved('gcPauseByReason') ? observed.phased : null,
      }),
      cgroup: this.#cgroup.close(observed.cgroup, observed.node ?? null, durationNs / 1e6),
      activeRobots: observed.activeRobots,
      lostEvents: observed.lostEvents,
      ...(missing.size > 0 ? { missing: [...missing] } : {}),
    };
    this.#seq += 1;
    return window;
  }

  #beginning({ endNs, endedAtMs }: Observed): Pick<SignalWindow, 'observedFrom'> {
    const fromNs = this.#observedFromNs;
    this.#observedFromNs = null;
    return fromNs === null ? {} : { observedFrom: new Date(endedAtMs - (endNs - fromNs) / 1e6).toISOString() };
  }

  #charges(observed: Observed): GcCharge[] {
    const readings = observed.readings ?? new Map();
    for (const pid of this.#ledgers.keys()) {
      if (readings.has(pid) || !observed.pids.includes(pid)) this.#ledgers.delete(pid);
    }
    for (const pid of this.#books.keys()) if (!readings.has(pid)) this.#books.delete(pid);
    const watched = observed.pids.filter((pid) => !readings.has(pid));
    const allocated = this.#allocated.since(observed.heaps ?? new Map());
    const seconds = spanNs(observed) / 1e9;
    const charges = watched.map((pid) => {
      const ledger = this.#ledgers.get(pid) ?? new GcLedger();
      this.#ledgers.set(pid, ledger);
      const ofPid = <T extends { pid: number }>(events: readonly T[]): T[] =>
        events.filter((event) => event.pid === pid);
      const charge = ledger.close(ofPid(observed.pauses), ofPid(observed.cycles), observed.startNs, observed.endNs);
      const bytes = allocated.get(pid);
      return bytes === undefined ? charge : { ...charge, allocBytesPerSecond: bytes / seconds };
    });
    return [...charges, ...this.#chargeBooks(readings)];
  }

  /** Of any process. Null where one of them does not tell, and none is on. What a program at rest was limited to says nothing of its rest. */
  #limiterOn({ pids, limiters = new Map() }: Observed, charges: readonly GcCharge[]): boolean | null {
    const before = this.#limiters;
    this.#limiters = limiters;
    const works = charges.some(({ cycles, gcCpuNs }) => cycles > 0 || gcCpuNs > 0);
    const isOn = [...limiters].some(
      ([pid, { isOn, lastCycle }]) => (works && isOn) || lastCycle > (before.get(pid)?.lastCycle ?? lastCycle),
    );
    return isOn || pids.every((pid) => limiters.has(pid)) ? isOn : null;
  }

  #chargeBooks(readings: Readings): GcCharge[] {
    return [...readings].map(([pid, reading]) => {
      const ledger = this.#books.get(pid) ?? new BooksLedger();
      this.#books.set(pid, ledger);
      return ledger.close(reading);
    });
  }
}

/** Never 0. */
function spanNs({ startNs, endNs }: Observed): number {
  return Math.max(1, endNs - startNs);
}

/** The books' times could not be read: what collections cost is not known. */
function areTimesUnknown({ readings }: Observed): boolean {
  return readings !== undefined && [...readings.values()].some(({ work }) => work === null);
}
