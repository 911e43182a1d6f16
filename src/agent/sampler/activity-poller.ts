/** How many robots each target serves, asked every few seconds beside the ticks: a slow answer delays nothing. */
import type { ActivityResult, ScrapeRequest } from '../../host/index.ts';
import type { Target } from './types.ts';

const periodMs = 5_000;
const timeoutMs = 2_000;
/** An answer older than this says nothing about a window any more. */
const freshMs = 15_000;
const maxInFlight = 8;

interface Known {
  value: number | null;
  answeredAtMs: number;
  askedAtMs: number;
  inFlight: boolean;
}

export class ActivityPoller {
  readonly #scrape: (request: ScrapeRequest) => Promise<ActivityResult>;
  readonly #signal: AbortSignal;
  readonly #known = new Map<string, Known>();
  #inFlight = 0;

  constructor(scrape: (request: ScrapeRequest) => Promise<ActivityResult>, signal: AbortSignal) {
    this.#scrape = scrape;
    this.#signal = signal;
  }

  /** Starts what is due and returns at once. Targets not named any more are forgotten. */
  poll(targets: Iterable<Target>, nowMs: number): void {
    const named = new Set<string>();
    for (const target of targets) {
      named.add(target.key);
      if (target.activity?.kind === 'metric') this.#ask(target.key, target.activity.url, target.activity.name, nowMs);
    }
    for (const key of this.#known.keys()) if (!named.has(key)) this.#known.delete(key);
  }

  /** Active robots as last told, `null` when nobody told lately. */
  value(target: Target, nowMs: number): number | null {
    if (target.activity?.kind === 'fixed') return target.activity.value;
    const known = this.#known.get(target.key);
    return known && nowMs - known.answeredAtMs <= freshMs ? known.value : null;
  }

  #ask(key: string, url: string, name: string, nowMs: number): void {
    const known = this.#known.get(key) ?? {
      value: null,
      answeredAtMs: 0,
      askedAtMs: Number.NEGATIVE_INFINITY,
      inFlight: false,
    };
    this.#known.set(key, known);
    if (known.inFlight || nowMs - known.askedAtMs < periodMs || this.#inFlight >= maxInFlight) return;
    known.askedAtMs = nowMs;
    known.inFlight = true;
    this.#inFlight += 1;
    void this.#scrape({ url, name, timeoutMs, signal: this.#signal })
      .then((result) => {
        if (result.kind !== 'ok') return;
        known.value = result.value;
        known.answeredAtMs = nowMs;
      })
      .catch(() => {}) // a scrape that throws is a scrape that told nothing
      .finally(() => {
        known.inFlight = false;
        this.#inFlight -= 1;
      });
  }
}
