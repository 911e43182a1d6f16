/** The GC CPU limiters of a container's processes, read as seldom as they can change. Pure. */
import type { GcLimiter } from '../../host/index.ts';

export type Limiters = ReadonlyMap<number, GcLimiter>;

/**
 * What fills the limiter's bucket is the collector's work (runtime/mgclimit.go): in a window without any, and after one without any, the
 * limiter stands as it stood. The window after some is read too, because the runtime books the last assists of a cycle after its end.
 */
export class KnownLimiters {
  #known: { readonly limiters: Limiters; readonly pids: readonly number[] } | null = null;
  #collected = true;

  /** @param pids the same array while they are the same processes, read in the same way */
  after(collects: boolean, pids: readonly number[], read: () => Limiters): Limiters {
    const isDue = collects || this.#collected;
    this.#collected = collects;
    if (isDue || this.#known?.pids !== pids) this.#known = { limiters: read(), pids };
    return this.#known.limiters;
  }
}
