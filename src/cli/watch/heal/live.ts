/** Settings of a running process: set, seen to take effect, and put back as they were. */
import { awaitEffect } from '../../../agent/live/effect.ts';
import {
  type GcSettings,
  GcWriteError,
  type GcWriter,
  sameSettings,
  type WrittenSettings,
} from '../../../host/index.ts';

/** A program in breach collects many times a second; one that does not collect for so long cannot be verified either. */
const effectMs = 30_000;
/** Putting back does not wait for the user, who may just have ended the watch. */
const restoreMs = 5_000;

export interface SetOptions {
  readonly signal: AbortSignal;
  /** How long a cycle is waited for that goes by it. */
  readonly withinMs?: number;
}

export class LiveChange {
  readonly #writer: GcWriter;
  /** What stood there before the first write. */
  readonly original: GcSettings;
  #current: GcSettings;

  constructor(writer: GcWriter, inEffect: GcSettings) {
    this.#writer = writer;
    this.original = inEffect;
    this.#current = inEffect;
  }

  get current(): GcSettings {
    return this.#current;
  }

  get isInPlace(): boolean {
    return !sameSettings(this.#current, this.original);
  }

  /** @returns why it did not take effect; undefined when the next cycle went by it. Rejects when the signal aborts. */
  async set(change: Partial<GcSettings>, { signal, withinMs = effectMs }: SetOptions): Promise<string | undefined> {
    let written: WrittenSettings;
    try {
      written = await this.#writer.write(change, this.#current, { signal });
    } catch (error) {
      if (error instanceof GcWriteError) return error.message;
      throw error;
    }
    this.#current = written.after;
    return this.#effect(written, withinMs, signal);
  }

  /** @returns why it could not be put back */
  async restore(): Promise<string | undefined> {
    return this.isInPlace ? this.restoreTo(this.original) : undefined;
  }

  /** As `restore`, to settings of before this change. */
  async restoreTo(change: Partial<GcSettings>): Promise<string | undefined> {
    const signal = AbortSignal.timeout(restoreMs);
    try {
      const { after } = await this.#writer.write(change, this.#current, { signal });
      this.#current = after;
      return undefined;
    } catch (error) {
      if (error instanceof GcWriteError) return error.message;
      if (signal.aborted) return `it was collecting for ${restoreMs / 1000} s without a pause`;
      throw error;
    }
  }

  async #effect(written: WrittenSettings, withinMs: number, signal: AbortSignal): Promise<string | undefined> {
    const effect = await awaitEffect(this.#writer, written, withinMs, signal);
    if (effect === 'confirmed') return undefined;
    if (effect === 'gone') return 'the process has ended';
    if (effect === 'notConfirmed')
      return 'the cycle after did not go by it: its heap goal is another than the one computed';
    return `no cycle took it up within ${withinMs / 1000} s`;
  }
}
