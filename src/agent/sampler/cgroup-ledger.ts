/** One container's readings from window to window: remembers only what the next window's deltas need. */
import type { CgroupSample, NodePressure } from '../../host/index.ts';
import type { CgroupFacts } from '../../model/window.ts';
import { type CgroupReading, cgroupFacts, StandingFacts } from './cgroup-facts.ts';
import { SlowLedger } from './slow-facts.ts';

export class CgroupLedger {
  #before: CgroupReading | null = null;
  #slow = new SlowLedger();
  readonly #standing = new StandingFacts();

  /** The reading from which the next window's deltas count. */
  rebase(cgroup: CgroupSample | null, node: NodePressure | null): void {
    this.#before = cgroup && { cgroup, node };
    this.#slow = new SlowLedger();
    if (cgroup) this.#slow.take(cgroup);
  }

  /** Facts of the window that ends with this reading; null when the cgroup could not be read. */
  close(cgroup: CgroupSample | null, node: NodePressure | null, durationMs: number): CgroupFacts | null {
    const before = this.#before;
    this.#before = cgroup && { cgroup, node };
    if (!cgroup) return null;
    return cgroupFacts(
      before,
      { cgroup, node },
      { durationMs, slow: this.#slow.take(cgroup), standing: this.#standing },
    );
  }
}
