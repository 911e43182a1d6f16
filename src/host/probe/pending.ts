import { ProbeError } from './errors.ts';

interface Waiting<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: ProbeError) => void;
  readonly timer: NodeJS.Timeout;
  readonly extensibleUntilMs: number;
}

/** Who only ever sends something else does not answer: a deadline is put off for so many times its length at most. */
const extensions = 5;

/**
 * Answers not yet here, by sequence number, each with a deadline: so long after it was asked for, or after the last sign that the other side
 * is at work, because an answer may stand behind megabytes of other lines.
 */
export class PendingAnswers<T> {
  #nextSeq = 1;
  readonly #waiting = new Map<number, Waiting<T>>();

  /** Opens a slot; `what` names the command in the error when no answer comes within `timeoutMs`. */
  open(what: string, timeoutMs: number): { seq: number; answer: Promise<T> } {
    const seq = this.#nextSeq++;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const askedMs = performance.now();
    const timer = setTimeout(() => {
      const waitedMs = Math.round(performance.now() - askedMs);
      const message = `robotgc-probe did not answer ${what} within ${waitedMs} ms: it hangs or is starved of CPU; restart it`;
      this.#close(seq)?.reject(new ProbeError('PROBE_TIMEOUT', message));
    }, timeoutMs);
    this.#waiting.set(seq, { resolve, reject, timer, extensibleUntilMs: askedMs + extensions * timeoutMs });
    return { seq, answer: promise };
  }

  /** Something came from the other side. */
  progress(): void {
    const nowMs = performance.now();
    for (const { timer, extensibleUntilMs } of this.#waiting.values()) if (nowMs < extensibleUntilMs) timer.refresh();
  }

  resolve(seq: number, value: T): void {
    this.#close(seq)?.resolve(value);
  }

  /** False when nobody waits for that number. */
  reject(seq: number, error: ProbeError): boolean {
    const waiting = this.#close(seq);
    waiting?.reject(error);
    return waiting !== undefined;
  }

  rejectAll(error: ProbeError): void {
    for (const seq of [...this.#waiting.keys()]) this.reject(seq, error);
  }

  #close(seq: number): Waiting<T> | undefined {
    const waiting = this.#waiting.get(seq);
    if (waiting === undefined) return undefined;
    clearTimeout(waiting.timer);
    this.#waiting.delete(seq);
    return waiting;
  }
}
