/** How much of each cgroup needs to be read: while no task of the node waits for memory, some of its figures stand still. Pure. */
import type { NodePressure, ReadPace } from '../../host/index.ts';

export class NodePace {
  /** Total of the node's memory pressure at the last tick. */
  #beforeNs: number | null = null;

  at({ memory }: NodePressure): ReadPace {
    const before = this.#beforeNs;
    this.#beforeNs = memory?.some.totalNs ?? null;
    return before !== null && before === this.#beforeNs ? 'calm' : 'tick';
  }
}
