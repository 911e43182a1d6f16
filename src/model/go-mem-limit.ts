/** What GOMEMLIMIT ought to be under a memory limit, and what a given one tells. Pure; letters as in `heap-fit.ts`. */
import { ratio } from '../api/index.ts';

/** Non-Go memory is given a fifth more than it was seen to take. */
const NON_GO_FACTOR = 1.2;
/** Live heap beyond this share of GOMEMLIMIT leaves GOGC no room to work with: more memory is the remedy. */
export const LIVE_HEAP_OF_GOMEMLIMIT = 0.6;
/** The runtime's own accounting and its rounding to pages: a GOMEMLIMIT so near to what it ought to be matches. */
const MATCHES_WITHIN = 0.02;

/**
 * M − max((1 − share) × M, 1.2 × N), rounded down to whole bytes; at least 0.
 *
 * @param goMemLimit share of the memory limit for the Go runtime where non-Go memory is small, such as `90%`
 */
export function goMemLimitUnder(memoryLimitBytes: number, nonGoBytes: number, goMemLimit: string): number {
  const reserve = Math.max((1 - ratio(goMemLimit)) * memoryLimitBytes, NON_GO_FACTOR * nonGoBytes);
  return Math.max(0, Math.floor(memoryLimitBytes - reserve));
}

/** The least memory limit under which GOMEMLIMIT is at least so much: the inverse of `goMemLimitUnder`, in whole bytes. */
export function memoryLimitOver(goMemLimitBytes: number, nonGoBytes: number, goMemLimit: string): number {
  return Math.ceil(Math.max(goMemLimitBytes / ratio(goMemLimit), goMemLimitBytes + NON_GO_FACTOR * nonGoBytes));
}

export interface StaleGoMemLimit {
  /** `above`: the kernel would kill before the collector holds back. `below`: the container has room that the collector may not use. */
  readonly type: 'above' | 'below';
  readonly goMemLimitBytes: number;
  readonly memoryLimitBytes: number;
  /** What it ought to be. */
  readonly fittingBytes: number;
}

/**
 * A GOMEMLIMIT above the limit in effect protects from nothing. One far below a limit is a team's choice, unless the limit was another
 * when the program was given it: then it is what a resize left behind.
 *
 * @param earlierLimitBytes the container's limit when its program started, where it is known
 */
export function staleGoMemLimit(
  goMemLimitBytes: number | null,
  memoryLimitBytes: number | null,
  {
    nonGoBytes,
    share,
    earlierLimitBytes,
  }: { nonGoBytes: number; share: string; earlierLimitBytes?: number | undefined },
): StaleGoMemLimit | undefined {
  if (goMemLimitBytes === null || memoryLimitBytes === null) return undefined;
  const fittingBytes = goMemLimitUnder(memoryLimitBytes, nonGoBytes, share);
  const facts = { goMemLimitBytes, memoryLimitBytes, fittingBytes };
  if (goMemLimitBytes > memoryLimitBytes) return { type: 'above', ...facts };
  const wasRaised = earlierLimitBytes !== undefined && earlierLimitBytes < memoryLimitBytes;
  const isBelow = goMemLimitBytes < fittingBytes * (1 - MATCHES_WITHIN);
  return wasRaised && isBelow && goMemLimitBytes <= earlierLimitBytes ? { type: 'below', ...facts } : undefined;
}
