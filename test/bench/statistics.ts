/** What can be said of noisy measurements, and how surely. Pure. */
import type { Random } from '../support/fuzz/random.ts';

/** The middle of the values; of an even number, the mean of the two in the middle. NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = ascending(values);
  const middle = sorted.length / 2;
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  return Number.isInteger(middle) ? (at(middle - 1) + at(middle)) / 2 : at(Math.floor(middle));
}

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** The least value that at least this share of the values does not exceed (nearest rank). NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  return ascending(values)[Math.max(Math.ceil(share * values.length), 1) - 1] ?? Number.NaN;
}

/**
 * The geometric mean of the middle 60 % of the ratios: a round in which the machine did something else does not count, and yet more of
 * the measurement is used than by a median.
 */
export function typicalRatio(ratios: readonly number[]): number {
  const cut = Math.floor(ratios.length / 5);
  return Math.exp(mean(ascending(ratios.map(Math.log)).slice(cut, ratios.length - cut)));
}

/** An estimate, and the interval that holds the truth in 95 of 100 such measurements. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

const resamples = 4_000;

/**
 * The estimate with its interval by bootstrap: the rounds are drawn anew, with repetition, thousands of times; how far the statistic then
 * moves is how far chance has moved it (percentile interval). Rounds are drawn whole, since what is inside of one belongs together.
 */
export function bootstrap<Round>(
  rounds: readonly Round[],
  statistic: (rounds: readonly Round[]) => number,
  random: Random,
): Estimate {
  const one = (): readonly Round[] => {
    const index = random.below(rounds.length);
    return rounds.slice(index, index + 1);
  };
  const drawn = Array.from({ length: resamples }, () => statistic(rounds.flatMap(one)));
  return { value: statistic(rounds), low: quantile(drawn, 0.025), high: quantile(drawn, 0.975) };
}

/** Whether a value that must not be below `least` is not: `inconclusive` when the interval holds both answers. */
export type Verdict = 'held' | 'missed' | 'inconclusive';

export function judge({ low, high }: Estimate, least: number): Verdict {
  if (low >= least) return 'held';
  return high < least ? 'missed' : 'inconclusive';
}

const ascending = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);
