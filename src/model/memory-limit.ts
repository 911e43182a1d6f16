/**
 * Which memory limit a container should have: one step up where it is too tight, one step down where it is not used, never outside of the
 * policy's bounds, never below what is in use. Pure.
 */
import { type PolicySpec, quantityBytes, ratio } from '../api/index.ts';
import { LIVE_HEAP_OF_GOMEMLIMIT, memoryLimitOver } from './go-mem-limit.ts';
import { heapGoalBytes } from './heap-fit.ts';

const MIB = 2 ** 20;

export interface MemoryUse {
  /** M: the limit in effect. */
  readonly memoryLimitBytes: number;
  /** The highest working set seen lately. */
  readonly useBytes: number;
  readonly heapLiveBytes?: number | undefined;
  readonly rootsBytes?: number | undefined;
  readonly nonGoBytes?: number | undefined;
  /** The one that is to run under the limit; undefined or below 0: any. */
  readonly gogc?: number | undefined;
}

export interface LimitStep {
  /** Whole MiB, or a bound of the policy as it stands there. */
  readonly limitBytes: number;
  /** What the arithmetic asks for; one step may not reach it. */
  readonly neededBytes: number;
  readonly clampedBy: readonly ('max' | 'min' | 'maxStep')[];
}

type Bounds = PolicySpec['tuning']['memoryLimit'];

/**
 * The least limit that leaves head-room over what is in use, lets the live heap fill no more than 60 % of GOMEMLIMIT, and under which the
 * heap goal of GOGC fits.
 */
export function neededLimitBytes(use: MemoryUse, { goMemLimit }: Bounds): number {
  const { useBytes, heapLiveBytes: live = 0, rootsBytes: roots = 0, nonGoBytes: nonGo = 0, gogc } = use;
  const goal = gogc === undefined || gogc < 0 ? live : heapGoalBytes(live, roots, gogc);
  return Math.ceil(
    Math.max(
      withHeadRoom(useBytes),
      memoryLimitOver(live / LIVE_HEAP_OF_GOMEMLIMIT, nonGo, goMemLimit),
      (goal + nonGo) / ratio(goMemLimit),
    ),
  );
}

/** One step up. The reason where there is none: only a team can say how far a limit may go. */
export function raisedLimit(use: MemoryUse, bounds: Bounds): LimitStep | string {
  const max = quantityBytes(bounds.max ?? '');
  if (max === undefined)
    return 'The policy sets no tuning.memoryLimit.max: how far the limit may be raised is for the team to say.';
  const { memoryLimitBytes: limit } = use;
  if (limit >= max)
    return `The memory limit of ${mebibytes(limit)} is at the policy's maximum of ${bounds.max} already.`;
  const neededBytes = neededLimitBytes(use, bounds);
  const step = wholeMib(limit * (1 + ratio(bounds.step)));
  const limitBytes = Math.min(max, step);
  return {
    limitBytes,
    neededBytes,
    clampedBy: neededBytes <= limitBytes ? [] : [limitBytes === max ? 'max' : 'maxStep'],
  };
}

/**
 * One step down: by the factor with which one step goes up, so that one undoes the other.
 *
 * @param floorBytes what the team itself had set: no lower than that
 * @returns undefined where what is needed leaves no room below
 */
export function loweredLimit(use: MemoryUse, bounds: Bounds, floorBytes: number): LimitStep | undefined {
  const { memoryLimitBytes: limit } = use;
  const min = quantityBytes(bounds.min ?? '') ?? 0;
  const neededBytes = neededLimitBytes(use, bounds);
  const step = wholeMib(limit / (1 + ratio(bounds.step)));
  const lowest = Math.max(floorBytes, min);
  const limitBytes = Math.max(step, lowest, wholeMib(neededBytes));
  if (limitBytes >= limit) return undefined;
  return { limitBytes, neededBytes, clampedBy: limitBytes === step ? ['maxStep'] : limitBytes === min ? ['min'] : [] };
}

/** What is in use and a tenth more: the heap of the next cycle is not there yet. No limit is set below it. */
export function withHeadRoom(useBytes: number): number {
  return useBytes + Math.ceil(useBytes / 10);
}

/** Upwards; the slack forgives binary fractions. */
function wholeMib(bytes: number): number {
  return Math.ceil(bytes / MIB - 1e-9) * MIB;
}

function mebibytes(bytes: number): string {
  return `${Number((bytes / MIB).toFixed(1))} MiB`;
}
