/**
 * The units people write in a policy, and the numbers the program works with.
 * Durations follow Go's `time.ParseDuration`, sizes Kubernetes' quantities, shares are percentages.
 */
import { z } from 'zod';

const DURATION = /^([0-9]+(\.[0-9]+)?(us|ms|s|m|h|d))+$/;
const PERCENT = /^(100(\.0+)?|[0-9]{1,2}(\.[0-9]+)?)%$/;
const GROWTH = /^[1-9][0-9]{0,3}(\.[0-9]+)?%$/;
const BYTES = /^[0-9]+(\.[0-9]+)?(Ki|Mi|Gi|Ti|k|M|G|T)?$/;

const unitMs: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const unitBytes: Readonly<Record<string, number>> = {
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
};

/**
 * Text of a given form. The hint says what to write instead: zod gives it as its message, and the custom resources carry it in
 * a CEL rule, because the API server's own words for a pattern show nothing but the pattern.
 */
function textLike(pattern: RegExp, hint: string, maxLength: number) {
  return z.string().max(maxLength).regex(pattern, hint).meta({ hint });
}

/** `"200ms"`, `"1m30s"`, `"30d"`. */
export const Duration = textLike(DURATION, 'write a duration such as 200ms, 30s, 5m or 48h', 32);
/** A share of a whole, `"0%"` to `"100%"`. */
export const Percent = textLike(PERCENT, 'write a share from 0% to 100%, such as 15% or 99.95%', 16);
/** A relative change, which may exceed 100 %: `"25%"`, `"100%"`, `"300%"`. */
export const Growth = textLike(GROWTH, 'write a relative change such as 25% or 100%', 16);
/** `"128Mi"`, `"2Gi"`, `"500M"`, `"1073741824"`. */
export const Bytes = textLike(BYTES, 'write a size such as 128Mi or 2Gi', 24);

/** Milliseconds of a duration string that its schema accepted. */
export function durationMs(text: string): number {
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/([0-9.]+)(us|ms|s|m|h|d)/g)) {
    total += Number(amount) * (unitMs[unit ?? ''] ?? Number.NaN);
  }
  return total;
}

/** Ratio (15 % → 0.15) of a percentage string that its schema accepted. */
export function ratio(text: string): number {
  return Number(text.slice(0, -1)) / 100;
}

/** Bytes of a Kubernetes quantity; `undefined` where the text is not one (foreign pods may hold anything). */
export function quantityBytes(text: string): number | undefined {
  const match = /^([0-9]+(?:\.[0-9]+)?)(Ki|Mi|Gi|Ti|k|M|G|T)?$/.exec(text);
  if (!match) return undefined;
  return Math.round(Number(match[1]) * (match[2] ? (unitBytes[match[2]] ?? Number.NaN) : 1));
}

/** Bytes as a Kubernetes quantity, exactly: in the largest binary unit that divides them, `160Mi`. */
export function bytesQuantity(bytes: number): string {
  const unit = (['Ti', 'Gi', 'Mi', 'Ki'] as const).find((each) => bytes > 0 && bytes % (unitBytes[each] ?? 1) === 0);
  return unit === undefined ? String(bytes) : `${bytes / (unitBytes[unit] ?? 1)}${unit}`;
}
