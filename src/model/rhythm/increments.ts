import { median } from '../trend.ts';
import type { AllocationSample } from './series.ts';

/** Bytes allocated around an instant, seconds after the first sample. */
export interface Increment {
  readonly atSeconds: number;
  readonly bytes: number;
}

export interface Increments {
  readonly increments: readonly Increment[];
  readonly spanSeconds: number;
  /** Median time between two samples. */
  readonly stepSeconds: number;
  readonly totalBytes: number;
  /** Share of the time that lies in gaps in which the sampler had to wait. */
  readonly blindShare: number;
}

/** A gap this many times as long as usual is a sampler that was kept waiting. */
const longGap = 1.5;
/** Bounds on the work, whatever the samples are. */
const mostParts = 50;
const mostSamples = 20_000;

/**
 * What was allocated between samples, at the middle of each gap. Within a gap in which the sampler had to wait nothing is known but the
 * sum: it is spread evenly, so that it looks like no burst. Undefined with fewer than three samples or more than 20,000, or when time or the total goes back.
 */
export function incrementsOf(samples: readonly AllocationSample[]): Increments | undefined {
  const first = samples[0];
  const last = samples.at(-1);
  if (first === undefined || last === undefined || samples.length < 3 || samples.length > mostSamples) return undefined;
  const gaps = samples.slice(1).map((sample, index) => {
    const before = samples[index] ?? sample;
    return {
      fromSeconds: (before.atNs - first.atNs) / 1e9,
      seconds: (sample.atNs - before.atNs) / 1e9,
      bytes: sample.totalAllocBytes - before.totalAllocBytes,
    };
  });
  if (gaps.some((gap) => !(gap.seconds > 0) || !(gap.bytes >= 0))) return undefined;
  if (!(last.totalAllocBytes - first.totalAllocBytes <= Number.MAX_SAFE_INTEGER)) return undefined;
  const stepSeconds = median(gaps.map((gap) => gap.seconds));
  const increments = gaps.flatMap(({ fromSeconds, seconds, bytes }) => {
    const parts = seconds > longGap * stepSeconds ? Math.min(mostParts, Math.ceil(seconds / stepSeconds)) : 1;
    return Array.from({ length: parts }, (_, part) => ({
      atSeconds: fromSeconds + ((part + 0.5) / parts) * seconds,
      bytes: bytes / parts,
    }));
  });
  const blindSeconds = gaps.reduce((sum, { seconds }) => sum + (seconds > longGap * stepSeconds ? seconds : 0), 0);
  const spanSeconds = (last.atNs - first.atNs) / 1e9;
  return {
    increments,
    spanSeconds,
    stepSeconds,
    blindShare: blindSeconds / spanSeconds,
    totalBytes: last.totalAllocBytes - first.totalAllocBytes,
  };
}
