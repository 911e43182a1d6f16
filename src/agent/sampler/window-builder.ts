/** From what the probe and the kernel told about one container to its `SignalWindow`. Pure; remembers only what the next window needs. */

import type { CgroupSample, GcLimiter, NodePressure } from '../../host/index.ts';
import type { PauseEvent } from '../../host/probe/index.ts';
import { stopReason } from '../../host/probe/index.ts';
import { exactStalls, type GcFacts, type SignalWindow, stallStats } from '../../model/index.ts';
import { AllocationRates, type Heaps } from './allocation-rates.ts';
import { assistsOf } from './assists.ts';
import { BooksLedger, type GcReading } from './books-ledger.ts';
import { CgroupLedger } from './cgroup-ledger.ts';
import type { ProbeFacts } from './facts-by-process.ts';
import { type GcCharge, GcLedger } from './gc-ledger.ts';
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
  /** Whether a capture of ours was under way on this container at that moment. */
  readonly capturingAt: (atNs: number) => boolean;
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

/** The runtime's goal when nothing bounds the heap (GOGC off, no GOMEMLIMIT): `/gc/heap/goal:bytes` prints 2^64 − 1. */
export const unboundedHeapGoal = 2 ** 64;

export class WindowBuilder {
  readonly #subject: WindowSubject;
  readonly #ledgers = new Map<number, GcLedger>();
  readonly #books = new Map<number, BooksLedger>();
  readonly #cgroup = new CgroupLedger();
  readonly #rates = new AllocationRates();
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
    this.#rates.since(heaps);
    this.#books.clear();
    this.#chargeBooks(readings);
  }

  /** Takes note of a stretch too short to be judged, such as the part of a second before the first whole one. */
  prime(observed: Observed): void {
    this.#limiterOn(observed, this.#charges(observed));
    this.#cgroup.rebase(observed.cgroup, observed.node ?? null);
  }

  close(observed: Observed): SignalWindow {
    const durationNs = Math.max(1, observed.endNs - observed.startNs);
    const charges = this.#charges(observed);
    const missing = [...(observed.missing ?? []), ...(areTimesUnknown(observed) ? ['gc'] : [])];
    const isObserved = (field: keyof SignalWindow): boolean => !missing.includes(field);
    const of = (wanted: PauseClass): number[] =>
      observed.pauses.filter((pause) => classOf(pause, observed.capturingAt) === wanted).map((pause) => pause.totalNs);
    const gcPauses = exactStalls(of('gc'));
    const assists = assistsOf(
      observed.histograms.filter((histogram) => histogram.of === 'assist'),
      observed.sampled,
    );
    const window: SignalWindow = {
      endedAt: new Date(observed.endedAtMs).toISOString(),
      durationMs: durationNs / 1e6,
      seq: this.#seq,
      ...this.#beginning(observed),
      ...this.#subject,
      pids: [...observed.pids],
      gcPause: stallStats([gcPauses]),
      gcAssist: stallStats(assists.sets),
      gcStall: stallStats([gcPauses, ...assists.sets]),
      capturePause: stallStats([exactStalls(of('capture'))]),
      ...(assists.sampling ? { gcAssistSampling: assists.sampling } : {}),
      ...(isObserved('kernelMemory') ? { kernelMemory: kernelMemory(observed) } : {}),
      ...(isObserved('network') ? { network: networkWaits(observed.waits) } : {}),
      gc: gcFacts(charges, durationNs, this.#limiterOn(observed, charges)),
      cgroup: this.#cgroup.close(observed.cgroup, observed.node ?? null, durationNs / 1e6),
      activeRobots: observed.activeRobots,
      lostEvents: observed.lostEvents,
      ...(missing.length > 0 ? { missing: [...missing] } : {}),
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
    const rates = this.#rates.since(observed.heaps ?? new Map());
    const charges = watched.map((pid) => {
      const ledger = this.#ledgers.get(pid) ?? new GcLedger();
      this.#ledgers.set(pid, ledger);
      const ofPid = <T extends { pid: number }>(events: readonly T[]): T[] =>
        events.filter((event) => event.pid === pid);
      const charge = ledger.close(ofPid(observed.pauses), ofPid(observed.cycles), observed.startNs, observed.endNs);
      return { ...charge, allocBytesPerSecond: rates.get(pid) ?? charge.allocBytesPerSecond };
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

/** The books' times could not be read: what collections cost is not known. */
function areTimesUnknown({ readings }: Observed): boolean {
  return readings !== undefined && [...readings.values()].some(({ work }) => work === null);
}

/** One container's facts from its processes': times and sizes add up, settings are those of the first process. */
function gcFacts(charges: readonly GcCharge[], durationNs: number, limiterOn: boolean | null): GcFacts | null {
  const known = charges.flatMap((charge) => (charge.last ? [{ ...charge, last: charge.last }] : []));
  const first = known[0];
  if (!first) return null;
  const sum = (value: (charge: (typeof known)[number]) => number): number =>
    known.reduce((total, charge) => total + value(charge), 0);
  const gomaxprocs = known.reduce((max, { last }) => Math.max(max, last.procs), 1);
  const share = (cpuNs: number): number => Math.min(1, cpuNs / (gomaxprocs * durationNs));
  return {
    cycles: sum((charge) => charge.cycles),
    cpuShare: share(sum((charge) => charge.gcCpuNs)),
    assistShare: share(sum((charge) => charge.assistCpuNs)),
    idleShare: share(sum((charge) => charge.idleCpuNs)),
    heapLiveBytes: sum(({ last }) => last.heapMarkedBytes),
    heapGoalBytes: sum(({ last }) => last.heapGoalBytes ?? unboundedHeapGoal),
    rootsBytes: sum(({ last }) => last.lastStackScanBytes + last.globalsScanBytes),
    allocBytesPerSecond: Math.round(sum((charge) => charge.allocBytesPerSecond ?? 0)),
    gogc: first.last.gcPercent,
    goMemLimitBytes: first.last.memoryLimitBytes,
    gomaxprocs,
    limitDrivenCycles: sum((charge) => charge.limitDrivenCycles),
    ...(limiterOn === null ? {} : { limiterOn }),
  };
}

type PauseClass = 'gc' | 'capture' | 'none';

/**
 * The collector's own pauses count. Pauses of profiling count as the capture's while ours runs; at other times somebody else profiles the
 * program. Those, like the program's own stops, are none of the collector's doing.
 */
function classOf(pause: PauseEvent, capturingAt: Observed['capturingAt']): PauseClass {
  const { cause } = stopReason(pause.reason);
  if (cause === 'gc') return 'gc';
  return cause === 'observation' && capturingAt(pause.startNs) ? 'capture' : 'none';
}
