/**
 * The allocation rhythm of each target, looked at in turn: a few targets at once for three seconds, then a pause.
 *
 * A round costs 0.15 to 0.3 s of processor time, most of it for waking up 1,500 times, whatever the number of targets: with the pause a
 * thousandth of a core. A single target is looked at every five minutes, each of 250 about once an hour.
 */
import { ControllerReadError, type ControllerReader, type Recorded, type SamplingPace } from '../../host/index.ts';
import { type AllocationSeries, classifyRhythm, type KnownRhythm, type Rhythm, withLook } from '../../model/index.ts';

/** A target with a process whose books can be read. */
export interface RhythmSubject {
  readonly key: string;
  readonly open: () => ControllerReader | null;
}

export interface RhythmsOptions {
  readonly record: (readers: readonly ControllerReader[], pace: SamplingPace) => Promise<Recorded[]>;
  readonly pace: Omit<SamplingPace, 'signal'>;
  readonly nowMs: () => number;
  /** What is known of a target has changed. */
  readonly tell: (key: string, rhythm: Rhythm) => void;
  readonly signal: AbortSignal;
}

interface Known {
  readonly sinceMs: number;
  lookedAtMs: number;
  known: KnownRhythm | null;
}

/** A program that has just begun shows how it begins. */
const settleMs = 5_000;
const pauseMs = 300_000;
const atOnce = 20;

export class Rhythms {
  readonly #options: RhythmsOptions;
  readonly #known = new Map<string, Known>();
  #round: Promise<void> | null = null;
  #nextRoundMs = 0;
  #defect: { readonly error: unknown } | null = null;

  constructor(options: RhythmsOptions) {
    this.#options = options;
  }

  of(key: string): Rhythm | null {
    return this.#known.get(key)?.known?.rhythm ?? null;
  }

  /** Tells which targets there are, and begins a round when it is time to. Throws what a round failed with: a defect. */
  offer(subjects: readonly RhythmSubject[]): void {
    if (this.#defect) throw this.#defect.error;
    const nowMs = this.#options.nowMs();
    const offered = new Set(subjects.map(({ key }) => key));
    for (const key of this.#known.keys()) if (!offered.has(key)) this.#known.delete(key);
    for (const { key } of subjects) {
      if (!this.#known.has(key))
        this.#known.set(key, { sinceMs: nowMs, lookedAtMs: Number.NEGATIVE_INFINITY, known: null });
    }
    if (this.#round || nowMs < this.#nextRoundMs || this.#options.signal.aborted) return;
    const due = this.#longestUnseen(subjects, nowMs);
    if (due.length === 0) return;
    this.#nextRoundMs = nowMs + pauseMs;
    this.#round = this.#look(due)
      .catch((error: unknown) => {
        if (!this.#options.signal.aborted) this.#defect = { error };
      })
      .finally(() => {
        this.#round = null;
      });
  }

  /** Settles when no round is under way. */
  async settled(): Promise<void> {
    await this.#round;
  }

  #longestUnseen(subjects: readonly RhythmSubject[], nowMs: number): RhythmSubject[] {
    const seenAtMs = ({ key }: RhythmSubject): number => this.#known.get(key)?.lookedAtMs ?? 0;
    return subjects
      .filter(({ key }) => nowMs - (this.#known.get(key)?.sinceMs ?? nowMs) >= settleMs)
      .sort((a, b) => (seenAtMs(a) < seenAtMs(b) ? -1 : seenAtMs(a) > seenAtMs(b) ? 1 : 0))
      .slice(0, atOnce);
  }

  async #look(subjects: readonly RhythmSubject[]): Promise<void> {
    const { record, pace, signal, nowMs } = this.#options;
    const opened = subjects.map(({ key, open }) => ({ key, reader: openOrNull(open) }));
    for (const { key } of opened) {
      const known = this.#known.get(key);
      if (known) known.lookedAtMs = nowMs();
    }
    const readable = opened.flatMap(({ key, reader }) => (reader ? [{ key, reader }] : []));
    try {
      const readers = readable.map(({ reader }) => reader);
      const recorded = readers.length > 0 ? await record(readers, { ...pace, signal }) : [];
      for (const [index, { key }] of readable.entries()) {
        const outcome = recorded[index];
        if (outcome?.kind !== 'series') continue;
        this.#learn(key, outcome.series);
        // Some milliseconds each: what else is due comes between.
        await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      for (const { reader } of readable) reader.close();
    }
  }

  #learn(key: string, series: AllocationSeries): void {
    const entry = this.#known.get(key);
    if (!entry) return;
    const { known, isNews } = withLook(entry.known, classifyRhythm(series));
    entry.known = known;
    if (isNews) this.#options.tell(key, known.rhythm);
  }
}

function openOrNull(open: () => ControllerReader | null): ControllerReader | null {
  try {
    return open();
  } catch (error) {
    if (error instanceof ControllerReadError) return null;
    throw error;
  }
}
