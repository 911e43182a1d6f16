import { median } from '../trend.ts';
import type { Increments } from './increments.ts';

export interface Period {
  readonly seconds: number;
  /**
   * Vector strength of allocation at the period, 0 to 1: the length of the mean of unit vectors, one per byte, each turned by the phase at
   * which the byte was allocated. 1: all at one phase; 0: evenly spread (J. M. Goldberg, P. B. Brown 1969).
   */
  readonly strength: number;
  /**
   * Median strength at frequencies around. A program that is held up and catches up is uneven at low frequencies; only what stands out from
   * there is a beat.
   */
  readonly background: number;
  /** Share of the bytes allocated above the level between pulses, 0 to 1, by folding the series at the period. */
  readonly pulsedShare: number;
  /** Shortest share of a period in which half of its bytes are allocated, 0 to ½. */
  readonly halfWidth: number;
}

/** So many periods must have been seen to speak of one. */
const leastPeriods = 6;
/** So many samples must fall into a period to see its shape. */
const leastSamplesPerPeriod = 3;
/** Steps of frequency per 1/span: finer than what the series can resolve, so that no peak falls between two. */
const oversampling = 4;
/** A slower rhythm is the real one when it is at least this strong compared to its multiple. */
const fundamentalShare = 0.6;
const phaseBins = 20;
/** The background is looked at from the frequency ÷ this to the frequency × this. */
const surroundings = 1.6;

/** The strongest period in the series; undefined when the series is too short for any. */
export function findPeriod(series: Increments): Period | undefined {
  const strengths = spectrum(series);
  if (strengths.length === 0 || series.totalBytes <= 0) return undefined;
  const lowest = lowestIndex();
  let best = lowest;
  for (let k = lowest; k < strengths.length; k++) {
    if ((strengths[k] ?? 0) > (strengths[best] ?? 0)) best = k;
  }
  const index = fundamentalOf(strengths, best);
  const seconds = series.spanSeconds / (index / oversampling);
  return {
    seconds,
    strength: strengths[index] ?? 0,
    background: backgroundOf(strengths, index),
    ...fold(series, seconds),
  };
}

/** Uphill to the nearest summit: a division by one too many lands on the slope of the right one. */
function summitFrom(strengths: readonly number[], start: number): number {
  const at = (index: number): number => strengths[index] ?? 0;
  let index = start;
  while (at(index + 1) > at(index) || at(index - 1) > at(index)) index += at(index + 1) > at(index - 1) ? 1 : -1;
  return index;
}

function backgroundOf(strengths: readonly number[], index: number): number {
  const from = Math.ceil(index / surroundings);
  const around = strengths.slice(from, Math.ceil(index * surroundings) + 1);
  // The line itself and its first side lobes aside.
  return median(around.filter((_, at) => Math.abs(from + at - index) > 2 * oversampling));
}

function lowestIndex(): number {
  return leastPeriods * oversampling;
}

/** Vector strength at the frequencies k ÷ (oversampling × span). */
function spectrum({ increments, spanSeconds, stepSeconds, totalBytes }: Increments): number[] {
  // No more steps than samples, also where the sampler stood still for most of the time.
  const steps = Math.min(spanSeconds / stepSeconds, increments.length);
  const highest = Math.floor((oversampling * steps) / leastSamplesPerPeriod);
  if (highest <= lowestIndex()) return [];
  const real = new Float64Array(highest + 1);
  const imaginary = new Float64Array(highest + 1);
  for (const { atSeconds, bytes } of increments) {
    if (bytes === 0) continue;
    const turn = (2 * Math.PI * atSeconds) / (oversampling * spanSeconds);
    const cos = Math.cos(turn);
    const sin = Math.sin(turn);
    // Turned on by one step of frequency at a time: far cheaper than a cosine for each. In plain variables: millions of steps.
    let x = bytes;
    let y = 0;
    for (let k = 0; k <= highest; k++) {
      real[k] = (real[k] ?? 0) + x;
      imaginary[k] = (imaginary[k] ?? 0) + y;
      const turned = x * cos - y * sin;
      y = x * sin + y * cos;
      x = turned;
    }
  }
  return Array.from(real, (x, k) => {
    // Less what the same bytes, evenly spread over the whole span, would give: it leaks to all frequencies that do not fit into the span.
    const turns = (2 * Math.PI * k) / oversampling;
    const even = k === 0 ? { x: 1, y: 0 } : { x: Math.sin(turns) / turns, y: (1 - Math.cos(turns)) / turns };
    return Math.hypot(x / totalBytes - even.x, (imaginary[k] ?? 0) / totalBytes - even.y);
  });
}

/** Short pulses are as strong at the multiples of their frequency: the lowest of these that is nearly as strong. */
function fundamentalOf(strengths: readonly number[], best: number): number {
  const most = strengths[best] ?? 0;
  for (let divisor = Math.floor(best / lowestIndex()); divisor > 1; divisor--) {
    const peak = summitFrom(strengths, Math.round(best / divisor));
    if (peak >= lowestIndex() && (strengths[peak] ?? 0) >= fundamentalShare * most) return peak;
  }
  return best;
}

/** All periods laid over each other (epoch folding, as for pulsars). */
function fold(
  { increments, totalBytes, stepSeconds }: Increments,
  seconds: number,
): Pick<Period, 'pulsedShare' | 'halfWidth'> {
  const bins = Math.max(leastSamplesPerPeriod, Math.min(phaseBins, Math.floor(seconds / stepSeconds)));
  const profile = new Array<number>(bins).fill(0);
  for (const { atSeconds, bytes } of increments) {
    const phase = (atSeconds / seconds) % 1;
    const bin = Math.min(bins - 1, Math.floor(phase * bins));
    profile[bin] = (profile[bin] ?? 0) + bytes;
  }
  const ascending = [...profile].sort((a, b) => a - b);
  // A quarter of the period is between pulses at least, else one would not call them pulses.
  const base = ascending[Math.floor(bins / 4)] ?? 0;
  const pulsed = profile.reduce((sum, bytes) => sum + Math.max(0, bytes - base), 0);
  return { pulsedShare: pulsed / totalBytes, halfWidth: halfWidthOf(profile, totalBytes) };
}

function halfWidthOf(profile: readonly number[], totalBytes: number): number {
  const bins = profile.length;
  for (let width = 1; width < bins; width++) {
    for (let from = 0; from < bins; from++) {
      let sum = 0;
      for (let k = 0; k < width; k++) sum += profile[(from + k) % bins] ?? 0;
      if (sum >= totalBytes / 2) return width / bins;
    }
  }
  return 1;
}
