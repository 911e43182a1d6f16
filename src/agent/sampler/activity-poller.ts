/** How many robots each target serves, asked every few seconds beside the ticks: a slow answer delays nothing. */
import type { ActivityResult, ConnectionsRequest, ScrapeRequest } from '../../host/index.ts';
import { CountingPace } from './counting-pace.ts';
import { ScrapeSlots, scrapePeriodMs } from './scrape-pace.ts';
import type { Activity, ActivitySource, Target } from './types.ts';

const timeoutMs = 2_000;
/** An answer older than this says nothing about a window any more. Counting connections has to be rarer on a crowded machine. */
const freshMs = { metric: 15_000, connections: 60_000 } as const;

/** A target whose robots are to be counted, and its processes that are watched: while there are none, nobody is asked. */
export interface Polled {
  readonly target: Pick<Target, 'key' | 'activity'>;
  readonly pids: readonly number[];
}

export interface ActivityPollerOptions {
  readonly scrape: (request: ScrapeRequest) => Promise<ActivityResult>;
  readonly countConnections: (request: ConnectionsRequest) => Promise<ActivityResult>;
  /** Monotonic. */
  readonly nowMs: () => number;
  readonly signal: AbortSignal;
}

type AskedSource = Exclude<ActivitySource, { kind: 'given' }>;

interface Known {
  readonly source: AskedSource;
  askedAtMs: number;
  inFlight: boolean;
  /** Its last answer came in time, whatever it said. */
  isPrompt: boolean;
  /** The newest count, and the newest failure if that came later. */
  count: { readonly robots: number; readonly atMs: number } | null;
  failure: Extract<Activity, { kind: 'unknown' }> | null;
}

/** A question that waits for its turn. */
interface Due {
  readonly key: string;
  readonly known: Known;
  readonly pids: readonly number[];
}

export class ActivityPoller {
  readonly #options: ActivityPollerOptions;
  readonly #known = new Map<string, Known>();
  readonly #pace = new CountingPace();
  readonly #slots = new ScrapeSlots();
  #due: readonly Due[] = [];

  constructor(options: ActivityPollerOptions) {
    this.#options = options;
  }

  /** Starts what is due and returns at once. Targets not named any more are forgotten. */
  poll(polled: readonly Polled[]): void {
    const nowMs = this.#options.nowMs();
    const named = new Set(polled.map(({ target }) => target.key));
    for (const key of this.#known.keys()) if (!named.has(key)) this.#known.delete(key);
    const periodMs = scrapePeriodMs(polled.filter(({ target }) => target.activity?.kind === 'metric').length);
    this.#due = polled
      .map(({ target, pids }) => ({ key: target.key, known: this.#knownOf(target), pids }))
      .flatMap(({ key, known, pids }) =>
        known && pids.length > 0 && isDue(known, nowMs, periodMs) ? [{ key, known, pids }] : [],
      )
      // Who has waited longest is first: a slow pace must not serve the same few for ever.
      .sort((a, b) => a.known.askedAtMs - b.known.askedAtMs);
    this.#askDue();
  }

  /** Robots as last told, or why nobody told lately; null for a target without a source. */
  reading({ key, activity: source }: Pick<Target, 'key' | 'activity'>): Activity | null {
    if (source === null) return null;
    if (source.kind === 'given') return source.activity;
    const known = this.#known.get(key);
    if (!known || !isSame(known.source, source)) return unanswered;
    if (known.count && this.#options.nowMs() - known.count.atMs <= freshMs[source.kind])
      return { kind: 'count', robots: known.count.robots };
    return known.failure ?? (known.count ? stale(source) : unanswered);
  }

  #knownOf({ key, activity: source }: Pick<Target, 'key' | 'activity'>): Known | undefined {
    const known = this.#known.get(key);
    if (!isAsked(source)) {
      this.#known.delete(key);
      return undefined;
    }
    if (known && isSame(known.source, source)) return known;
    const fresh: Known = {
      source,
      askedAtMs: Number.NEGATIVE_INFINITY,
      inFlight: false,
      isPrompt: false,
      count: null,
      failure: null,
    };
    this.#known.set(key, fresh);
    return fresh;
  }

  /** As many as there is room for; called again when one has been answered. */
  #askDue(): void {
    if (this.#options.signal.aborted) return;
    const nowMs = this.#options.nowMs();
    const waiting = this.#due.filter(({ key, known }) => this.#known.get(key) === known);
    this.#due = waiting.filter(({ known, pids }) => !this.#ask(known, pids, nowMs));
  }

  /** @returns whether there was room */
  #ask(known: Known, pids: readonly number[], nowMs: number): boolean {
    const { source } = known;
    const end = source.kind === 'metric' ? this.#slots.begin(known.isPrompt) : this.#beginCount(nowMs);
    if (!end) return false;
    known.askedAtMs = nowMs;
    known.inFlight = true;
    const answer = source.kind === 'metric' ? this.#scrape(source) : this.#count(source.port, pids);
    void answer.catch(defect).then((result) => {
      known.inFlight = false;
      end();
      known.isPrompt = result.kind === 'ok' || result.code !== 'timeout';
      if (result.kind === 'ok') known.count = { robots: result.value, atMs: this.#options.nowMs() };
      known.failure = result.kind === 'ok' ? null : { kind: 'unknown', reason: result.code, message: result.message };
      this.#askDue();
    });
    return true;
  }

  #beginCount(nowMs: number): (() => void) | null {
    return this.#pace.begin(nowMs) ? () => this.#pace.end(this.#options.nowMs()) : null;
  }

  #scrape({ url, name, labels }: Extract<AskedSource, { kind: 'metric' }>): Promise<ActivityResult> {
    const { scrape, signal } = this.#options;
    return scrape({ url, name, labels, timeoutMs, signal });
  }

  #count(port: number, pids: readonly number[]): Promise<ActivityResult> {
    const { countConnections, signal } = this.#options;
    return countConnections({ pids, port, timeoutMs, signal });
  }
}

/** Neither way of asking throws; should one do so after all, the target has no count, and the agent lives on. */
function defect(error: unknown): ActivityResult {
  return { kind: 'failed', code: 'unreadable', message: error instanceof Error ? error.message : String(error) };
}

function isDue(known: Known, nowMs: number, periodMs: number): boolean {
  return !known.inFlight && nowMs - known.askedAtMs >= periodMs;
}

function isSame(a: ActivitySource, b: ActivitySource): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

export function isAsked(source: ActivitySource | null): source is AskedSource {
  return source !== null && source.kind !== 'given';
}

const unanswered: Activity = { kind: 'unknown', reason: 'unanswered', message: 'the first answer is being waited for' };

/** Nothing is wrong yet. */
export function isUnanswered(activity: Activity): boolean {
  return activity === unanswered;
}

function stale(source: AskedSource): Activity {
  const message =
    source.kind === 'metric'
      ? 'no answer for a while'
      : 'too many sockets on this node to count connections often enough: count by a metric or an annotation';
  return { kind: 'unknown', reason: 'stale', message };
}
