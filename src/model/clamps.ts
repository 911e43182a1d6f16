/** The limits on a GOGC, each a small function from a value to a value that says what it did. */
import { type PolicySpec, ratio } from '../api/index.ts';
import type { FittingGogc } from './heap-fit.ts';

export type Clamp = 'min' | 'max' | 'maxStep' | 'memory';

export interface Clamped {
  readonly gogc: number;
  /** Every clamp that changed the value, in the order in which they did. */
  readonly by: readonly Clamp[];
  readonly steps: readonly string[];
}

export function clampToBounds(value: Clamped, { min, max }: PolicySpec['tuning']['gogc']): Clamped {
  if (value.gogc < min) return changed(value, min, 'min', `bounds: ${value.gogc} is below the minimum → ${min}`);
  if (value.gogc > max) return changed(value, max, 'max', `bounds: ${value.gogc} is above the maximum → ${max}`);
  return noted(value, `bounds: ${min} ≤ ${value.gogc} ≤ ${max}`);
}

/**
 * One action changes GOGC at most by the factor 1 + maxStep, up or down: from 100 with 100 % between 50 and 200. The same factor both
 * ways means that one step undoes one step. A GOGC that is off (-1) has no size to measure a step by.
 */
export function clampToStep(value: Clamped, current: number | undefined, maxStep: string): Clamped {
  if (current === undefined) return noted(value, 'step: current GOGC unknown, not limited');
  if (current < 1) return noted(value, `step: current GOGC is ${current < 0 ? 'off' : current}, not limited`);
  const factor = 1 + ratio(maxStep);
  // The slack forgives binary fractions: 50 × (1 + 10 %) is 55, not 55.00000000000001.
  const highest = Math.max(current, Math.floor(current * factor + 1e-9));
  const lowest = Math.min(current, Math.ceil(current / factor - 1e-9));
  const range = `from ${current} by ${maxStep} at most: ${lowest} to ${highest}`;
  if (value.gogc > highest) return changed(value, highest, 'maxStep', `step: ${range} → ${highest}`);
  if (value.gogc < lowest) return changed(value, lowest, 'maxStep', `step: ${range} → ${lowest}`);
  return noted(value, `step: ${range}`);
}

/** @param highest undefined when live heap or memory limit are unknown */
export function clampToFit(value: Clamped, highest: FittingGogc | undefined, min: number): Clamped {
  if (!highest) return noted(value, 'memory: live heap or memory limit unknown, not limited');
  if (value.gogc <= highest.gogc) return noted(value, `memory: ${highest.formula} → at most ${highest.gogc}`);
  const gogc = Math.max(1, highest.gogc);
  const below = gogc < min ? `, below the minimum ${min}: memory comes first` : '';
  return changed(value, gogc, 'memory', `memory: ${highest.formula} → at most ${highest.gogc}${below}`);
}

function changed(value: Clamped, gogc: number, clamp: Clamp, step: string): Clamped {
  return { gogc, by: [...value.by, clamp], steps: [...value.steps, step] };
}

function noted(value: Clamped, step: string): Clamped {
  return { ...value, steps: [...value.steps, step] };
}
