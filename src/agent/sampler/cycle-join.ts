/** The cycles of one target's processes, each with its phases. Pure. */
import type { CycleEvent } from '../../host/probe/index.ts';
import { PhaseJoin } from '../../model/index.ts';
import type { FactsByProcess } from './facts-by-process.ts';
import type { SeenCycle } from './types.ts';

export class CycleJoin {
  readonly #byPid = new Map<number, PhaseJoin<CycleEvent>>();

  /** Cycles of these processes that are complete with these events, in the order in which they ended. */
  join(facts: FactsByProcess, pids: readonly number[]): SeenCycle[] {
    for (const pid of this.#byPid.keys()) if (!pids.includes(pid)) this.#byPid.delete(pid);
    const [only] = pids;
    if (only !== undefined && pids.length === 1) return this.#joinOne(facts, only);
    return pids.flatMap((pid) => this.#joinOne(facts, pid)).sort((a, b) => a.atNs - b.atNs);
  }

  #joinOne(facts: FactsByProcess, pid: number): SeenCycle[] {
    const join = this.#byPid.get(pid) ?? new PhaseJoin<CycleEvent>();
    this.#byPid.set(pid, join);
    const { pauses, cycles } = facts.ofProcess(pid);
    return join.join(pauses, cycles);
  }
}
