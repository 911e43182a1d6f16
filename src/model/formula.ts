/**
 * The tuning formula: which GOGC a container should run with, and why. Pure; every clamp that changed the value is named.
 *
 * `GOGC = base × (1 + (active − baseline) ÷ baseline)` above the baseline, `base` at or below it: with base 50 and baseline 5000,
 * 5 000 robots → 50, 10 000 → 100, 20 000 → 200.
 */
import type { PolicySpec } from '../api/index.ts';
import { type Clamp, type Clamped, clampToBounds, clampToFit, clampToStep } from './clamps.ts';
import { type HeapFacts, highestFittingGogc } from './heap-fit.ts';

export type { Clamp } from './clamps.ts';

export interface TuneInput extends HeapFacts {
  /** Active robots the container serves; not negative. */
  readonly active: number;
  /** What the container runs with now; -1 = off; undefined = unknown, then the step limit cannot apply. */
  readonly currentGogc?: number | undefined;
  readonly tuning: PolicySpec['tuning'];
}

export interface TuneResult {
  readonly gogc: number;
  /** One sentence. */
  readonly reason: string;
  readonly clampedBy: readonly Clamp[];
  /** The computation line by line, with its numbers. */
  readonly steps: readonly string[];
  /** What formula and bounds alone ask for: the value to arrive at, in several steps if need be. */
  readonly targetGogc: number;
  /** False when no GOGC at all fits under the memory limit: memory is the remedy, and `gogc` must not be applied. */
  readonly fits: boolean;
}

/**
 * Order of the clamps, weakest first: bounds, step, memory. The step beats a bound (from 10 with a step of 100 % to 20, although the
 * minimum is 25), memory beats both (never a GOGC whose heap goal does not fit, even below the minimum or more than a step down).
 *
 * @throws RangeError when `active` is negative or not a number
 */
export function tuneGogc(input: TuneInput): TuneResult {
  const { active, currentGogc, tuning } = input;
  if (!(active >= 0) || !Number.isFinite(active))
    throw new RangeError(`active robots ${active}: must be a number of 0 or more`);
  const formula = byFormula(active, tuning.formula);
  const bounded = clampToBounds({ gogc: formula.gogc, by: [], steps: [formula.step] }, tuning.gogc);
  const stepped = clampToStep(bounded, currentGogc, tuning.gogc.maxStep);
  const highest = highestFittingGogc(input, tuning.memoryLimit.goMemLimit);
  const fitted = clampToFit(stepped, highest, tuning.gogc.min);
  const fits = highest === undefined || highest.gogc >= 1;
  return {
    gogc: fitted.gogc,
    reason: reasonOf(fitted, bounded.gogc, active, fits, currentGogc),
    clampedBy: fitted.by,
    steps: fitted.steps,
    targetGogc: bounded.gogc,
    fits,
  };
}

function byFormula(
  active: number,
  { base, baseline }: PolicySpec['tuning']['formula'],
): { gogc: number; step: string } {
  if (active <= baseline) {
    return { gogc: base, step: `formula: ${active} active ≤ baseline ${baseline} → base ${base}` };
  }
  const gogc = Math.round(base * (1 + (active - baseline) / baseline));
  return { gogc, step: `formula: ${base} × (1 + (${active} − ${baseline}) ÷ ${baseline}) = ${gogc}` };
}

function reasonOf(result: Clamped, target: number, active: number, fits: boolean, current: number | undefined): string {
  if (!fits)
    return `No GOGC fits under the memory limit with ${active} active robots: more memory is the remedy, not GOGC.`;
  if (result.by.includes('memory'))
    return `GOGC ${result.gogc} is the highest whose heap goal fits under the memory limit.`;
  if (result.by.includes('maxStep')) return `GOGC ${result.gogc} is one step from ${current} towards ${target}.`;
  if (result.by.length > 0)
    return `GOGC ${result.gogc}: the formula for ${active} active robots leaves the policy's bounds.`;
  return `GOGC ${result.gogc} by the formula for ${active} active robots.`;
}
