import {
  type AssistEvent,
  type CountsEvent,
  type CycleEvent,
  type HistogramEvent,
  memoryWaitKinds,
  type PauseEvent,
  type ProbeEvent,
  type SampledEvent,
  type WaitEvent,
} from './protocol.ts';

/** Everything the probe saw from one flush to the next. */
export interface Flush {
  readonly pauses: PauseEvent[];
  readonly assists: AssistEvent[];
  readonly cycles: CycleEvent[];
  /** At most one per process and kind; none of what did not happen. */
  readonly histograms: HistogramEvent[];
  /** Processes whose assists were looked at for a part of the time only. */
  readonly sampled: SampledEvent[];
  readonly counts: CountsEvent[];
  readonly waits: WaitEvent[];
  /** Watched processes that executed another program: what was attached does not see them any more. */
  readonly execs: number[];
  /** Watched processes that ended. They need no `unwatch`. */
  readonly gone: number[];
  /** Events that were dropped, in the kernel (no room, or a cycle's facts could not be read) or here: not 0 means that the lists are incomplete. */
  readonly lost: number;
  /** Until when this is complete, on CLOCK_MONOTONIC. */
  readonly atNs: number;
}

type Collected = Omit<Flush, 'lost' | 'atNs'>;

const nothing = (): Collected => ({
  pauses: [],
  assists: [],
  cycles: [],
  histograms: [],
  sampled: [],
  counts: [],
  waits: [],
  execs: [],
  gone: [],
});

/** A flush of a stretch in which no probe looked. */
export function nothingUntil(atNs: number): Flush {
  return { ...nothing(), lost: 0, atNs };
}

/** What a few seconds may bring of one process by the kernel's allowance: 32 of each kind in a second. */
export const maxWaitsOfProcess = 1_000;

/**
 * Keeps events until they are taken; bounded, because nobody may ever take them. Waits have bounds of their own, one for each process: what
 * one process waits for costs no other anything, and never what is known of the collector.
 */
export class EventCollector {
  readonly #maxEvents: number;
  #events = nothing();
  readonly #waits = new Map<number, WaitsOfProcess>();
  #count = 0;
  #lost = 0;

  constructor(maxEvents: number) {
    this.#maxEvents = maxEvents;
  }

  /** Keeps what belongs into a flush and passes over everything else. */
  add(event: ProbeEvent): void {
    switch (event.type) {
      case 'pause':
        this.#keep(this.#events.pauses, event);
        return;
      case 'assist':
        this.#keep(this.#events.assists, event);
        return;
      case 'cycle':
        this.#keep(this.#events.cycles, event);
        return;
      case 'histogram':
        this.#keep(this.#events.histograms, event);
        return;
      case 'sampled':
        this.#keep(this.#events.sampled, event);
        return;
      case 'counts':
        this.#keep(this.#events.counts, event);
        return;
      case 'wait':
        this.#keepWait(event);
        return;
      case 'exec':
        this.#keep(this.#events.execs, event.pid);
        return;
      case 'gone':
        this.#keep(this.#events.gone, event.pid);
        return;
      case 'lost':
        this.#lost += event.count;
        return;
      default:
        return;
    }
  }

  take(atNs: number): Flush {
    const flush = { ...this.#events, lost: this.#lost, atNs };
    for (const [pid, waits] of this.#waits) if (waits.memory + waits.network > 0) flush.counts.push(untold(pid, waits));
    this.#waits.clear();
    this.#events = nothing();
    this.#count = 0;
    this.#lost = 0;
    return flush;
  }

  #keep<T>(list: T[], item: T): void {
    if (this.#count >= this.#maxEvents) {
      this.#lost += 1;
      return;
    }
    this.#count += 1;
    list.push(item);
  }

  #keepWait(wait: WaitEvent): void {
    const waits = this.#waits.get(wait.pid) ?? { kept: 0, memory: 0, network: 0 };
    this.#waits.set(wait.pid, waits);
    if (waits.kept < maxWaitsOfProcess) {
      waits.kept += 1;
      this.#events.waits.push(wait);
    } else if (isMemoryWait(wait)) waits.memory += 1;
    else waits.network += 1;
  }
}

interface WaitsOfProcess {
  kept: number;
  /** Not kept. */
  memory: number;
  network: number;
}

function isMemoryWait({ on }: WaitEvent): boolean {
  return memoryWaitKinds.some((kind) => kind === on);
}

function untold(pid: number, { memory, network }: WaitsOfProcess): CountsEvent {
  const none = { count: 0, whileMarking: 0 };
  return {
    type: 'counts',
    pid,
    heapGrows: none,
    mmapFailures: none,
    allocationFailures: none,
    oomVictims: none,
    lostEvents: none,
    untoldWaits: { count: network, whileMarking: 0 },
    untoldMemoryWaits: { count: memory, whileMarking: 0 },
    untimedWaits: none,
  };
}
