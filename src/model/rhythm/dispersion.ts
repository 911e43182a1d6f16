import type { Increments } from './increments.ts';

/**
 * Index of dispersion in bytes: variance ÷ mean of what is allocated per bin of `binSeconds`. For events that arrive independently (compound
 * Poisson) it is E[size²] ÷ E[size] of an event, whatever the bin; less for steady arrivals, more for bursts, and growing with the bin
 * where bursts last longer than it (D. R. Cox, P. A. W. Lewis 1966). Undefined with fewer than eight bins, or more than samples.
 */
export function dispersionBytes({ increments, spanSeconds }: Increments, binSeconds: number): number | undefined {
  const count = Math.floor(spanSeconds / binSeconds);
  if (count < 8 || count > increments.length) return undefined;
  const bins = new Array<number>(count).fill(0);
  for (const { atSeconds, bytes } of increments) {
    const bin = Math.floor(atSeconds / binSeconds);
    if (bin < count) bins[bin] = (bins[bin] ?? 0) + bytes;
  }
  const mean = bins.reduce((sum, bytes) => sum + bytes, 0) / count;
  if (mean === 0) return undefined;
  const variance = bins.reduce((sum, bytes) => sum + (bytes - mean) ** 2, 0) / (count - 1);
  return variance / mean;
}
