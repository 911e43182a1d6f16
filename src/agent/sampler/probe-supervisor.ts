/** Keeps one probe running: starts it, notices when it ends, starts it again with back-off. */
import { type ProbeClient, ProbeError } from '../../host/probe/index.ts';
import { backoffMs } from './backoff.ts';

const baseMs = 250;
const maxMs = 30_000;
/** A probe that has run for so long did not fail at its start: the next failure is the first one again. */
const provenMs = 60_000;

export interface SupervisorOptions {
  readonly start: () => Promise<ProbeClient>;
  /** Monotonic, ms. */
  readonly nowMs: () => number;
  readonly onUp?: (probe: ProbeClient) => void;
  readonly onDown?: (error: ProbeError, retryInMs: number) => void;
}

export class ProbeSupervisor {
  readonly #options: SupervisorOptions;
  #probe: ProbeClient | null = null;
  #lastError: ProbeError | null = null;
  #failures = 0;
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

  /** The running probe; starts one when it is time to. Null while it is down. */
  async current(): Promise<ProbeClient | null> {
    if (this.#probe || this.#stopping) return this.#probe;
    if (this.#options.nowMs() < this.#retryAtMs) return null;
    try {
      this.#adopt(await this.#options.start());
    } catch (error) {
      this.#down(asProbeError(error));
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
    this.#upSinceMs = this.#options.nowMs();
    this.#options.onUp?.(probe);
    void probe.exited.then((exit) => {
      if (this.#probe === probe && !this.#stopping) this.#down(exit.error);
    });
  }

  #down(error: ProbeError): void {
    const nowMs = this.#options.nowMs();
    const proven = this.#probe !== null && nowMs - this.#upSinceMs >= provenMs;
    this.#failures = proven ? 1 : this.#failures + 1;
    this.#probe = null;
    this.#lastError = error;
    const retryInMs = backoffMs(this.#failures, baseMs, maxMs);
    this.#retryAtMs = nowMs + retryInMs;
    this.#options.onDown?.(error, retryInMs);
  }
}

function asProbeError(error: unknown): ProbeError {
  if (error instanceof ProbeError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new ProbeError('PROBE_NOT_STARTED', `robotgc-probe cannot be used: ${message}`, { cause: error });
}
