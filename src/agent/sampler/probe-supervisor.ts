/** Keeps one probe running: starts it, notices when it ends, starts it again with back-off; knows when none can work here. */
import { type ProbeClient, ProbeError } from '../../host/probe/index.ts';
import { backoffMs } from './backoff.ts';

const baseMs = 250;
const maxMs = 30_000;
/** A probe that has run for so long did not fail at its start: the next failure is the first one again. */
const provenMs = 60_000;
/** An end before it was ready may be an accident; so many in a row are none. */
const accidents = 3;
const accidental: ReadonlySet<string> = new Set(['PROBE_EXITED', 'PROBE_TIMEOUT', 'PROBE_STOPPED']);

export interface SupervisorOptions {
  readonly start: () => Promise<ProbeClient>;
  /** Monotonic, ms. */
  readonly nowMs: () => number;
  readonly onUp?: (probe: ProbeClient) => void;
  /** What prevents it from starting is told once, not at each attempt. */
  readonly onDown?: (error: ProbeError, retryInMs: number) => void;
}

export class ProbeSupervisor {
  readonly #options: SupervisorOptions;
  #probe: ProbeClient | null = null;
  #lastError: ProbeError | null = null;
  #failures = 0;
  #failedStarts = 0;
  #cannotWork = false;
  #retryAtMs = 0;
  #upSinceMs = 0;
  #stopping = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /** Why there is no probe now; null while there is one, and before the first attempt. */
  get lastError(): ProbeError | null {
    return this.#probe ? null : this.#lastError;
  }

  /**
   * Why no probe can work here (no permission, no BPF, no probe), as far as the last attempts tell; it is tried again all the same. Null
   * while there is one, and while one that did work has only ended.
   */
  get obstacle(): ProbeError | null {
    return this.#cannotWork ? this.lastError : null;
  }

  /** The running probe; starts one when it is time to. Null while it is down. */
  async current(): Promise<ProbeClient | null> {
    if (this.#probe || this.#stopping) return this.#probe;
    if (this.#options.nowMs() < this.#retryAtMs) return null;
    try {
      this.#adopt(await this.#options.start());
    } catch (error) {
      this.#cannotStart(asProbeError(error));
    }
    return this.#probe;
  }

  /** Gives a probe up that does not answer any more. */
  async abandon(probe: ProbeClient, error: unknown): Promise<void> {
    if (this.#probe !== probe) return;
    this.#down(asProbeError(error));
    await probe.stop();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const probe = this.#probe;
    this.#probe = null;
    await probe?.stop();
  }

  #adopt(probe: ProbeClient): void {
    this.#probe = probe;
    this.#failedStarts = 0;
    this.#cannotWork = false;
    this.#upSinceMs = this.#options.nowMs();
    this.#options.onUp?.(probe);
    void probe.exited.then((exit) => {
      if (this.#probe === probe && !this.#stopping) this.#down(exit.error);
    });
  }

  #cannotStart(error: ProbeError): void {
    this.#failedStarts += 1;
    if (!accidental.has(error.code) || this.#failedStarts >= accidents) this.#cannotWork = true;
    this.#down(error);
  }

  #down(error: ProbeError): void {
    const isNews = !this.#cannotWork || this.#lastError?.message !== error.message;
    const nowMs = this.#options.nowMs();
    const proven = this.#probe !== null && nowMs - this.#upSinceMs >= provenMs;
    this.#failures = proven ? 1 : this.#failures + 1;
    this.#probe = null;
    this.#lastError = error;
    const retryInMs = backoffMs(this.#failures, baseMs, maxMs);
    this.#retryAtMs = nowMs + retryInMs;
    if (isNews) this.#options.onDown?.(error, retryInMs);
  }
}

function asProbeError(error: unknown): ProbeError {
  if (error instanceof ProbeError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new ProbeError('PROBE_NOT_STARTED', `robotgc-probe cannot be used: ${message}`, { cause: error });
}
