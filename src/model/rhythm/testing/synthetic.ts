/**
 * A generative model of what a sampler sees of a Go program: events allocate objects of several size classes, each class's objects fill
 * spans, the running total moves when a span is full, and the sampler reads late now and then.
 */
import type { AllocationSample, AllocationSeries } from '../series.ts';

export interface Stream {
  /** Sizes of the objects that one event allocates. */
  readonly objectBytes: readonly number[];
  /** Events at random (Poisson), or a batch on each beat with `jitter` as share of the period. */
  readonly arrivals:
    | { readonly kind: 'random'; readonly perSecond: number }
    | { readonly kind: 'beat'; readonly periodMs: number; readonly eventsPerBeat: number; readonly jitter: number };
}

export interface SyntheticOptions {
  readonly seed: number;
  readonly durationMs: number;
  readonly everyMs: number;
  /** Share of the reads that come up to `lateMs` late. */
  readonly lateShare: number;
  readonly lateMs: number;
}

const spanBytes = 8192;

export function synthesize(streams: readonly Stream[], options: SyntheticOptions): AllocationSeries {
  const random = generator(options.seed);
  const events = streams
    .flatMap((stream) => timesOf(stream, options.durationMs, random).map((atMs) => ({ atMs, stream })))
    .sort((a, b) => a.atMs - b.atMs);
  const objects = new Map<number, number>();
  const steps: { atMs: number; total: number }[] = [];
  const filled = new Map<number, number>();
  let total = 0;
  for (const { atMs, stream } of events) {
    for (const size of stream.objectBytes) {
      objects.set(size, (objects.get(size) ?? 0) + 1);
      const span = Math.max(spanBytes, size);
      // Spans are partly filled when the recording begins.
      let level = (filled.get(size) ?? Math.floor(random() * span)) + size;
      if (level >= span) {
        level -= span;
        total += span;
      }
      filled.set(size, level);
    }
    steps.push({ atMs, total });
  }
  const classes = [...objects].map(([sizeBytes, count]) => ({ sizeBytes, objects: count }));
  return { samples: read(steps, options, random), allocated: { classes, largeBytes: 0, largeObjects: 0 } };
}

function timesOf({ arrivals }: Stream, durationMs: number, random: () => number): number[] {
  const times: number[] = [];
  if (arrivals.kind === 'random') {
    for (
      let at = exponential(random) / arrivals.perSecond;
      at * 1e3 < durationMs;
      at += exponential(random) / arrivals.perSecond
    )
      times.push(at * 1e3);
    return times;
  }
  const { periodMs, eventsPerBeat, jitter } = arrivals;
  const phase = random();
  for (let beat = 0; (beat + phase) * periodMs < durationMs; beat++) {
    const at = (beat + phase + jitter * (random() - 0.5)) * periodMs;
    for (let event = 0; event < eventsPerBeat; event++) times.push(Math.max(0, at));
  }
  return times;
}

function read(
  steps: readonly { readonly atMs: number; readonly total: number }[],
  { durationMs, everyMs, lateShare, lateMs }: SyntheticOptions,
  random: () => number,
): AllocationSample[] {
  const samples: AllocationSample[] = [];
  let index = 0;
  let total = 0;
  for (let due = 0; due < durationMs; due += everyMs) {
    const late = random() < lateShare ? random() * lateMs : 0;
    const atMs = due + 0.2 * random() + late;
    for (let step = steps[index]; step !== undefined && step.atMs <= atMs; step = steps[index]) {
      total = step.total;
      index += 1;
    }
    samples.push({ atNs: 1e12 + Math.round(atMs * 1e6), totalAllocBytes: 5e9 + total });
    // A late read makes those that were due meanwhile void.
    due += Math.floor((atMs - due) / everyMs) * everyMs;
  }
  return samples;
}

const exponential = (random: () => number): number => -Math.log(1 - random());

/** mulberry32, by Tommy Ettinger (public domain): repeatable numbers in [0, 1). */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
