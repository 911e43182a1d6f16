/**
 * Counting connections makes the kernel walk every socket of the machine: one count at a time, and after one that took t a rest of 99 t,
 * so that all counts together take at most one hundredth of one core. Pure.
 */
const restPerWork = 99;

export class CountingPace {
  #beganMs: number | null = null;
  #restUntilMs = Number.NEGATIVE_INFINITY;

  /** @returns whether a count may begin now; it then has begun */
  begin(nowMs: number): boolean {
    if (this.#beganMs !== null || nowMs < this.#restUntilMs) return false;
    this.#beganMs = nowMs;
    return true;
  }

  end(nowMs: number): void {
    if (this.#beganMs === null) return;
    this.#restUntilMs = nowMs + restPerWork * (nowMs - this.#beganMs);
    this.#beganMs = null;
  }
}
