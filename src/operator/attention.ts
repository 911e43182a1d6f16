/**
 * Since when an operator has looked at a thing without a gap. What has been silent for long may have had nobody to tell: the API server was
 * away, or this operator slept or leads only since a moment ago. Patience with agents and kubelets counts from here.
 */

/** Looks are a second apart while something is under way; a busy queue may make some more of them. */
const GAP_MS = 20_000;

export class Attention {
  readonly #looks = new Map<string, { readonly sinceMs: number; readonly lastMs: number }>();

  /** @returns since when, `nowMs` after a gap */
  look(key: string, nowMs: number): number {
    const known = this.#looks.get(key);
    const sinceMs = known && nowMs - known.lastMs <= GAP_MS ? known.sinceMs : nowMs;
    this.#looks.set(key, { sinceMs, lastMs: nowMs });
    return sinceMs;
  }

  forget(key: string): void {
    this.#looks.delete(key);
  }
}
