import { ProbeError } from './errors.ts';

interface Waiting<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: ProbeError) => void;
  readonly timer: NodeJS.Timeout;
}

/** Answers not yet here, by sequence number, each with a deadline. */
export class PendingAnswers<T> {
  #nextSeq = 1;
  readonly #waiting = new Map<number, Waiting<T>>();

  /** Opens a slot; `what` names the command in the error when no answer comes within `timeoutMs`. */
  open(what: string, timeoutMs: number): { seq: number; answer: Promise<T> } {
    const seq = this.#nextSeq++;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const timer = setTimeout(() => {
      const message = `robotgc-probe did not answer ${what} within ${timeoutMs} ms: it hangs or is starved of CPU; restart it`;
      this.#close(seq)?.reject(new ProbeError('PROBE_TIMEOUT', message));
    }, timeoutMs);
    this.#waiting.set(seq, { resolve, reject, timer });
    return { seq, answer: promise };
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
