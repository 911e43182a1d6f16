/**
 * GC CPU time of one process, charged to windows. Pure: probe events and window bounds in, charges out.
 *
 * The runtime tells a cycle's CPU time when the cycle ends. A cycle that fits into a window is charged to it. While a cycle is still
 * marking at a window's end, the window is charged what the pacer reserves for marking at that time, a quarter of GOMAXPROCS; what the
 * cycle really took less what was charged so far goes to the window in which it ends. So the sum over windows equals the sum over
 * cycles, and a collection that lasts several windows shows in each of them.
 */
import type { CycleEvent, PauseEvent } from '../../host/probe/index.ts';
import { stopReason, sweepTermination } from '../../model/index.ts';

/** `gcBackgroundUtilization` in runtime/mgcpacer.go, Go 1.18 to 1.26: the CPU share of dedicated and fractional workers while marking. */
export const backgroundUtilization = 0.25;

/** State of the heap after a cycle, and the settings it went by. */
export type HeapState = Pick<
  CycleEvent,
  | 'procs'
  | 'heapMarkedBytes'
  | 'heapGoalBytes'
  | 'lastStackScanBytes'
  | 'globalsScanBytes'
  | 'gcPercent'
  | 'memoryLimitBytes'
>;

export interface GcCharge {
  /**
   * Assist + dedicated + fractional worker time + pauses on all Ps: the terms of `/cpu/classes/gc/total:cpu-seconds` without idle
   * workers, whose time nobody else wanted.
   */
  readonly gcCpuNs: number;
  /** The rest of that total: time of idle workers, charged as their cycle ends. */
  readonly idleCpuNs: number;
  readonly assistCpuNs: number;
  readonly cycles: number;
  readonly limitDrivenCycles: number;
  /** Between two readings of the program's books; where those cannot be read, between the two latest cycle ends. Null until there were two. */
  readonly allocBytesPerSecond: number | null;
  /** The latest cycle's facts; null until one ended under watch. */
  readonly last: HeapState | null;
}

export class GcLedger {
  #last: CycleEvent | null = null;
  #allocBytesPerSecond: number | null = null;
  #markingSinceNs: number | null = null;
  #chargedAheadNs = 0;

  /** Charges the window that ends at `endNs` with the events that arrived in it, each in the order in which it happened. */
  close(pauses: readonly PauseEvent[], cycles: readonly CycleEvent[], startNs: number, endNs: number): GcCharge {
    const procs = (cycles.at(-1) ?? this.#last)?.procs ?? null;
    let gcCpuNs = 0;
    let assistCpuNs = 0;
    let idleCpuNs = 0;
    let limitDrivenCycles = 0;
    for (const cycle of cycles) {
      const tookNs = cycle.assistNs + cycle.dedicatedNs + cycle.fractionalNs;
      gcCpuNs += Math.max(0, tookNs - this.#chargedAheadNs);
      assistCpuNs += cycle.assistNs;
      idleCpuNs += cycle.idleNs;
      if (this.#last?.goalByMemoryLimit && !cycle.userForced) limitDrivenCycles += 1;
      this.#remember(cycle);
    }
    for (const pause of pauses) {
      if (stopReason(pause.reason).cause !== 'gc') continue;
      gcCpuNs += pauseCpuNs(pause, procs ?? 0);
      if (pause.reason === sweepTermination) this.#markingBegan(pause.startNs + pause.totalNs);
      else this.#markingEnded(pause.startNs);
    }
    gcCpuNs += this.#chargeAhead(startNs, endNs, procs);
    return {
      gcCpuNs,
      assistCpuNs,
      idleCpuNs,
      cycles: cycles.length,
      limitDrivenCycles,
      allocBytesPerSecond: this.#allocBytesPerSecond,
      last: this.#last,
    };
  }

  /** A collection is under way, as far as is known. */
  get isMarking(): boolean {
    return this.#markingSinceNs !== null;
  }

  /** Nothing was observed for a while: whether a collection is under way is not known any more. */
  interrupt(): void {
    this.#markingSinceNs = null;
    this.#chargedAheadNs = 0;
  }

  #remember(cycle: CycleEvent): void {
    const before = this.#last;
    if (before && cycle.atNs > before.atNs) {
      const seconds = (cycle.atNs - before.atNs) / 1e9;
      this.#allocBytesPerSecond = Math.max(0, cycle.totalAllocBytes - before.totalAllocBytes) / seconds;
    }
    this.#last = cycle;
    this.#markingSinceNs = null;
    this.#chargedAheadNs = 0;
  }

  #markingBegan(atNs: number): void {
    // The pause and the end of its own cycle may arrive in one window: then marking is over already.
    if (this.#last && this.#last.atNs >= atNs) return;
    this.#markingSinceNs = atNs;
    this.#chargedAheadNs = 0;
  }

  /** Also when the cycle's own event was lost: no window is charged for a collection that is over. */
  #markingEnded(atNs: number): void {
    if (this.#markingSinceNs !== null && atNs >= this.#markingSinceNs) this.#markingSinceNs = null;
  }

  #chargeAhead(startNs: number, endNs: number, procs: number | null): number {
    if (this.#markingSinceNs === null || procs === null) return 0;
    const spanNs = Math.max(0, endNs - Math.max(startNs, this.#markingSinceNs));
    const chargeNs = spanNs * procs * backgroundUtilization;
    this.#chargedAheadNs += chargeNs;
    return chargeNs;
  }
}

/**
 * `accumulateGCPauseTime` in runtime/mgc.go. Since Go 1.23: each P from when it has stopped, all of them from when the last one has; until
 * the runtime begins to start the world. (The end of mark termination is taken before that.) Go 1.22: all Ps from the beginning, at
 * sweep termination until they run again.
 */
function pauseCpuNs(pause: PauseEvent, procs: number): number {
  const { totalNs, stoppingNs, stoppingCpuNs, restartNs = totalNs } = pause;
  const untilRestartNs = Math.min(totalNs, restartNs);
  if (stoppingCpuNs !== undefined) return stoppingCpuNs + Math.max(0, untilRestartNs - (stoppingNs ?? 0)) * procs;
  return (pause.reason === sweepTermination ? totalNs : untilRestartNs) * procs;
}
