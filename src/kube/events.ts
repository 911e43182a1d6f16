import { create, patchMerge } from './client.ts';
import { type Clock, deadline, pause, systemClock } from './clock.ts';
import { isKubeError } from './errors.ts';
import {
  type EventFacts,
  type EventTarget,
  eventBody,
  eventNamespace,
  kubeEvents,
  seriesKey,
  seriesPatch,
} from './event-body.ts';
import type { Log } from './log.ts';
import { TokenBucket } from './token-bucket.ts';
import type { Transport } from './transport.ts';

export interface EventRecorderOptions {
  readonly transport: Transport;
  /** For example `robotgc.dev/operator`. */
  readonly reportingController: string;
  /** For example the pod's name. */
  readonly reportingInstance: string;
  readonly log: Log;
  readonly clock?: Clock;
}

/** A repetition within this time belongs to the series; after it, it is a new event. */
const SERIES_MS = 6 * 60_000;
/** A running series is written at most so often. */
const SERIES_WRITE_MS = 10_000;
const MAX_SERIES = 1_000;
/** For one object: a burst, then one event in so long. */
const BURST = 25;
const REFILL_MS = 60_000;
const WRITE_MS = 10_000;

interface Series {
  facts: EventFacts;
  count: number;
  /** The name the server gave; undefined until written. */
  name: string | undefined;
  lastSeenMs: number;
  lastWrittenMs: number;
  /** Count that the server knows. */
  written: number;
}

/** Writes Kubernetes Events in the background, one after the other; see SPEC.md. An event that cannot be written is logged and let go. */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #clock: Clock;
  readonly #series = new Map<string, Series>();
  readonly #buckets = new Map<string, TokenBucket>();
  readonly #cut = new AbortController();
  /** Aborted to look at what waits before the present pause is over. */
  #wake = new AbortController();
  #writing: Promise<void> | undefined;
  #closed = false;
  #dropped = 0;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Events not written, for whatever reason. */
  get dropped(): number {
    return this.#dropped;
  }

  /**
   * Never throws and never waits. `reason` is one CamelCase word, `note` a sentence (cut at 1 kB), `action` what was done (default:
   * the reason). What repeats within six minutes, same object, type, reason and action, is counted in the first event, under the first note.
   */
  record(
    regarding: EventTarget,
    type: 'Normal' | 'Warning',
    reason: string,
    note: string,
    options: { readonly related?: EventTarget; readonly action?: string } = {},
  ): void {
    const facts: EventFacts = {
      regarding,
      related: options.related,
      type,
      reason,
      note,
      action: options.action ?? reason,
    };
    if (this.#closed || !this.#note(facts)) {
      this.#dropped++;
      return;
    }
    this.#wake.abort();
    this.#writing ??= this.#write();
  }

  /** Writes what waits; false when the time was not enough. Later records are dropped. */
  async drain(timeoutMs: number): Promise<boolean> {
    this.#closed = true;
    this.#wake.abort();
    const limit = deadline(this.#clock, timeoutMs);
    const onLimit = (): void => this.#cut.abort(limit.signal.reason);
    limit.signal.addEventListener('abort', onLimit, { once: true });
    await this.#writing;
    limit.cancel();
    const left = [...this.#series.values()].reduce((sum, series) => sum + series.count - series.written, 0);
    this.#dropped += left;
    this.#series.clear();
    return left === 0;
  }

  /** False when the event is one too many. */
  #note(facts: EventFacts): boolean {
    const key = seriesKey(facts);
    const nowMs = this.#clock.nowMs();
    const running = this.#series.get(key);
    if (running !== undefined && nowMs - running.lastSeenMs < SERIES_MS) {
      Object.assign(running, { facts, count: running.count + 1, lastSeenMs: nowMs });
      return true;
    }
    this.#forgetOld(nowMs);
    if (this.#series.size >= MAX_SERIES || !this.#bucketOf(facts.regarding, nowMs).take(nowMs)) return false;
    const fresh = {
      facts,
      count: 1,
      name: undefined,
      lastSeenMs: nowMs,
      lastWrittenMs: Number.NEGATIVE_INFINITY,
      written: 0,
    };
    this.#series.set(key, fresh);
    return true;
  }

  #bucketOf({ kind, namespace, name }: EventTarget, nowMs: number): TokenBucket {
    const key = JSON.stringify([kind, namespace, name]);
    const bucket = this.#buckets.get(key) ?? new TokenBucket(BURST, REFILL_MS, nowMs);
    this.#buckets.set(key, bucket);
    return bucket;
  }

  #forgetOld(nowMs: number): void {
    for (const [key, series] of this.#series) {
      if (series.written === series.count && nowMs - series.lastSeenMs >= SERIES_MS) this.#series.delete(key);
    }
    for (const [key, bucket] of this.#buckets) if (bucket.isFull(nowMs)) this.#buckets.delete(key);
  }

  /** Until nothing waits. Never rejects. */
  async #write(): Promise<void> {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      if (next.inMs > 0) {
        this.#wake = new AbortController();
        await pause(this.#clock, next.inMs, this.#wake.signal);
      } else {
        await this.#send(next.series);
      }
    }
    // In the same breath as the decision to end, so that a record after it starts anew.
    this.#writing = undefined;
  }

  #next(): { readonly series: Series; readonly inMs: number } | undefined {
    if (this.#cut.signal.aborted) return undefined;
    const nowMs = this.#clock.nowMs();
    let next: { readonly series: Series; readonly inMs: number } | undefined;
    for (const series of this.#series.values()) {
      if (series.count === series.written) continue;
      const inMs = this.#closed ? 0 : series.lastWrittenMs + SERIES_WRITE_MS - nowMs;
      if (next === undefined || inMs < next.inMs) next = { series, inMs };
    }
    return next;
  }

  async #send(series: Series): Promise<void> {
    const { transport, log, reportingController, reportingInstance } = this.#options;
    const { count, facts, name } = series;
    const namespace = eventNamespace(facts);
    const call = { signal: this.#cut.signal, timeoutMs: WRITE_MS };
    const wallMs = this.#clock.wallMs();
    series.lastWrittenMs = this.#clock.nowMs();
    try {
      if (name === undefined) {
        const body = eventBody(facts, { controller: reportingController, instance: reportingInstance }, wallMs);
        series.name = (await create(transport, kubeEvents, body, call)).metadata.name;
        series.written = 1;
      } else {
        await patchMerge(transport, kubeEvents, { namespace, name }, seriesPatch(count, wallMs), call);
        series.written = count;
      }
    } catch (error) {
      if (this.#cut.signal.aborted) return;
      if (name !== undefined && isKubeError(error, 'NotFound')) {
        // The server forgets events after an hour: what is new becomes an event of its own.
        Object.assign(series, { name: undefined, count: count - series.written, written: 0 });
        return;
      }
      log.warn({ err: error, reason: facts.reason, regarding: facts.regarding.name }, 'an event was not written');
      this.#dropped += count - series.written;
      series.written = count;
    }
  }
}
