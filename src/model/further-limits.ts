/** From what a policy writes as limits of further signals to numbers in the signals' units. */
import {
  durationMs,
  type FurtherSignal,
  type FurtherThresholds,
  quantityBytes,
  ratio,
  type SignalUnit,
} from '../api/index.ts';
import { FURTHER_CHECKS } from './further-signals.ts';

/** Signals without a limit are absent. */
export type FurtherLimits = Readonly<Partial<Record<FurtherSignal, number>>>;

export function furtherLimits(own: FurtherThresholds): FurtherLimits {
  const limits: Partial<Record<FurtherSignal, number>> = {};
  for (const { signal, unit } of FURTHER_CHECKS) {
    const limit = limitOf(own[signal], unit);
    if (limit !== undefined) limits[signal] = limit;
  }
  return limits;
}

/** `gcLimiter: true` is the limit 0: on is too much. `false` is no limit. */
function limitOf(value: string | number | boolean | undefined, unit: SignalUnit): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 0 : undefined;
  if (value === undefined) return undefined;
  if (unit === 'ns') return Math.round(durationMs(value) * 1e6);
  return unit === 'ratio' ? ratio(value) : quantityBytes(value);
}
