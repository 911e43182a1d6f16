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
    const seen = pids.flatMap((pid) => {
      const join = this.#byPid.get(pid) ?? new PhaseJoin<CycleEvent>();
      this.#byPid.set(pid, join);
      const { pauses, cycles } = facts.of([pid]);
      return join.join(pauses, cycles);
    });
    return pids.length > 1 ? seen.sort((a, b) => a.atNs - b.atNs) : seen;
  }
}
