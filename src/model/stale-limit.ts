/** Whether the GOMEMLIMIT of a container is stale, told from its windows one after the other, once it has stayed so for a while. Pure. */
import { type StaleGoMemLimit, staleGoMemLimit } from './go-mem-limit.ts';
import { quantity } from './quantity.ts';
import type { SignalWindow } from './window.ts';

/** What follows a resize within seconds, be that ours or somebody else's, is no finding. */
export const STALE_AFTER = 30;

export interface SeenGoMemLimit {
  readonly goMemLimitBytes: number | null;
  /** Under which this GOMEMLIMIT was seen first. */
  readonly earlierLimitBytes: number;
  /** Windows in a row in which it was stale. */
  readonly staleWindows: number;
  /** Stale, and for long enough. */
  readonly finding?: StaleGoMemLimit;
}

/** @param share of the memory limit that GOMEMLIMIT ought to be, such as `90%` */
export function followGoMemLimit(
  seen: SeenGoMemLimit | undefined,
  { gc, cgroup }: SignalWindow,
  share: string,
): SeenGoMemLimit | undefined {
  if (!gc || !cgroup) return seen;
  const { memoryLimitBytes } = cgroup;
  if (memoryLimitBytes === null) return undefined;
  const { goMemLimitBytes } = gc;
  const isKnown = seen?.goMemLimitBytes === goMemLimitBytes;
  const earlierLimitBytes = isKnown ? seen.earlierLimitBytes : memoryLimitBytes;
  const stale = staleGoMemLimit(goMemLimitBytes, memoryLimitBytes, { nonGoBytes: 0, share, earlierLimitBytes });
  const staleWindows = stale ? (isKnown ? seen.staleWindows : 0) + 1 : 0;
  const finding = stale && staleWindows >= STALE_AFTER ? { finding: stale } : {};
  return { goMemLimitBytes, earlierLimitBytes, staleWindows, ...finding };
}

export function staleSentence({ type, goMemLimitBytes, memoryLimitBytes, fittingBytes }: StaleGoMemLimit): string {
  const [now, limit, fitting] = [goMemLimitBytes, memoryLimitBytes, fittingBytes].map((each) =>
    quantity(each, 'bytes'),
  );
  return type === 'above'
    ? `GOMEMLIMIT of ${now} is above the memory limit of ${limit}: the kernel kills before the collector holds back; ${fitting} would fit.`
    : `GOMEMLIMIT of ${now} is left from a smaller memory limit, which is ${limit} now: the collector may not use what is there; ${fitting} would fit.`;
}
