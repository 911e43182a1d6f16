/** When captures of ours ran on which target: pauses of profiling in that time are the capture's, not the target's. Pure. */
interface Interval {
  readonly fromNs: number;
  toNs: number;
}

const keepNs = 60e9;
/** A trace's stop and a profile's clean-up may come after the last byte was read. */
const slackNs = 1e9;

export class CaptureIntervals {
  readonly #byTarget = new Map<string, Interval[]>();

  /** @returns ends the interval; call it with the time when the capture was over */
  begin(target: string, fromNs: number): (toNs: number) => void {
    const interval: Interval = { fromNs, toNs: Number.POSITIVE_INFINITY };
    const known = (this.#byTarget.get(target) ?? []).filter((other) => other.toNs + keepNs > fromNs);
    this.#byTarget.set(target, [...known, interval]);
    return (toNs) => {
      interval.toNs = toNs + slackNs;
    };
  }

  contains(target: string, atNs: number): boolean {
    return (this.#byTarget.get(target) ?? []).some((interval) => interval.fromNs <= atNs && atNs <= interval.toNs);
  }

  forget(target: string): void {
    this.#byTarget.delete(target);
  }
}
